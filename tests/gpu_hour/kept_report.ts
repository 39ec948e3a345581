import { UserError } from "../../gpu/errors.ts";

/** The file that a report goes to after each part, so that a machine which is taken away leaves what was found till then. */
export interface KeptReport {
  /** Writes it; says so once where that fails: what is found counts, and is printed at the end. */
  keep(report: unknown): void;
  /** Whether the last one was written. */
  isWhole(): boolean;
}

/**
 * Opens it, to find out before anything is measured whether it can be written.
 * @throws UserError if it cannot
 */
export function keptReport(out: string | undefined): KeptReport {
  if (out === undefined) return { keep() {}, isWhole: () => true };
  const beside = `${out}.new`;
  try {
    Deno.writeTextFileSync(beside, "");
    Deno.removeSync(beside);
    if (isFolder(out)) throw new Error("it is a folder");
  } catch (error) {
    throw new UserError(
      `Cannot write to ${out}: ${(error as Error).message}, a file that can be written is needed`,
    );
  }
  let failed: string | undefined;
  return {
    keep(report) {
      try {
        Deno.writeTextFileSync(beside, JSON.stringify(report) + "\n");
        Deno.renameSync(beside, out);
        failed = undefined;
      } catch (error) {
        const { message } = error as Error;
        if (failed !== message) console.error(`warning: what was found is not in ${out}: ${message}`);
        failed = message;
      }
    },
    isWhole: () => failed === undefined,
  };
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // it is not there yet
  }
}
