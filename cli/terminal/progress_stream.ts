import { writeMessage } from "./write_out.ts";

/** Where progress is written; stderr of the process if not given. */
export interface ProgressStream {
  write(text: string): void;
  /** Columns of the terminal, 0 or undefined where it is none (or tells no width). */
  columns(): number | undefined;
  /** Milliseconds, of a clock that never goes back. */
  now(): number;
}

/** The terminal, or whatever stands in its place. */
export const stderr: ProgressStream = {
  write: writeMessage,
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
