/** The lines of a JSONL file, parsed. */
// deno-lint-ignore no-explicit-any
export const jsonLines = (path: string): any[] =>
  Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line));
