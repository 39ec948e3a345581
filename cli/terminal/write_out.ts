import { UserError } from "../../gpu/errors.ts";

const encoder = new TextEncoder();

/** A pipe may take less than it is given. */
function writeWhole(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  for (let bytes = encoder.encode(text); bytes.length > 0;) bytes = bytes.subarray(to.writeSync(bytes));
}

/**
 * Writes a part of a result to stdout.
 *
 * @throws {UserError} where that leads to a full disk, or to a terminal that is gone
 * @throws {Deno.errors.BrokenPipe} where its reader has ended, who wants no more of it
 */
export function writeResult(text: string): void {
  try {
    writeWhole(Deno.stdout, text);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe || !(error instanceof Error)) throw error;
    throw new UserError(
      `Cannot write the result to stdout: ${error.message}`,
      "what the command keeps in files is whole; write to another disk, or to a pipe",
    );
  }
}

/** Writes a part of a message to stderr. That nobody reads it, or that it finds no place, ends no work. */
export function writeMessage(text: string): void {
  try {
    writeWhole(Deno.stderr, text);
  } catch {
    // There is nowhere to tell it.
  }
}
