/** Where progress is written; stderr of the process if not given. */
export interface ProgressStream {
  write(text: string): void;
  /** Columns of the terminal, 0 or undefined where it is none (or tells no width). */
  columns(): number | undefined;
  /** Milliseconds, of a clock that never goes back. */
  now(): number;
}

const encoder = new TextEncoder();

/** The terminal, or whatever stands in its place. */
export const stderr: ProgressStream = {
  write: (text) => {
    try {
      for (let bytes = encoder.encode(text); bytes.length > 0;) {
        bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
      }
    } catch (error) {
      // A reader or a terminal that is gone is no reason to end the work that it was told of.
      if (!["EPIPE", "EIO"].includes((error as { code?: string }).code ?? "")) throw error;
    }
  },
  columns: () => {
    if (!Deno.stderr.isTerminal() || Deno.env.get("TERM") === "dumb") return 0;
    try {
      return Deno.consoleSize().columns;
    } catch {
      return 0;
    }
  },
  now: () => performance.now(),
};
