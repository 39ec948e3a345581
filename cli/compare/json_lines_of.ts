import { readPlainText } from "../../model/files/plain_file.ts";

/** Bytes: a text of V8 has no more characters than about 2^29. */
const MOST_LOG = 500_000_000;

/** The whole lines of a log, parsed; one that is still being written, or was when its writer was killed, is left out. */
// deno-lint-ignore no-explicit-any
export function jsonLinesOf(path: string): any[] {
  const lines = readPlainText(path, MOST_LOG).split("\n").slice(0, -1);
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
