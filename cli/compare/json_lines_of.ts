import { UserError } from "../../gpu/errors.ts";
import { readPlainText } from "../../model/files/plain_file.ts";

/** Bytes: a text of V8 has no more characters than about 2^29. */
const MOST_LOG = 500_000_000;

/**
 * The whole lines of a log of updates, parsed; one that is still being written, or was when its writer was killed, is left out, as is what is none.
 * @throws UserError if it cannot be read
 */
// deno-lint-ignore no-explicit-any
export function jsonLinesOf(path: string): any[] {
  let text: string;
  try {
    text = readPlainText(path, MOST_LOG);
  } catch (error) {
    throw new UserError(
      `Cannot read ${path}: ${(error as Error).message}`,
      "put the run's own back, or remove it",
    );
  }
  return text.split("\n").slice(0, -1).flatMap((line) => {
    try {
      const record = JSON.parse(line);
      return typeof record?.step === "number" ? [record] : [];
    } catch {
      return [];
    }
  });
}
