import { assertEquals } from "@std/assert";
import { jsonLines } from "../../support/json_lines.ts";
import { timeless } from "../../support/timeless.ts";

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

/** Fails unless two evaluations with `--out` left the same files with the same in them, but for the clock's figures and the models' places. */
export function assertSameEval(actual: string, expected: string): void {
  const names = namesIn(expected);
  assertEquals(namesIn(actual), names);
  const json = (folder: string, name: string) =>
    timeless(
      name.endsWith(".jsonl")
        ? jsonLines(`${folder}/${name}`)
        : JSON.parse(Deno.readTextFileSync(`${folder}/${name}`)),
    );
  for (const name of names.filter((name) => /\.jsonl?$/.test(name))) {
    assertEquals(json(actual, name), json(expected, name), name);
  }
}
