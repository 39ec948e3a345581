import { assertEquals } from "@std/assert";
import { namesIn } from "../../../model/files/on_disk.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { timeless } from "../../support/timeless.ts";

/** Fails unless two evaluations with `--out` left the same files with the same in them, but for the clock's figures and the models' places. */
export function assertSameEval(actual: string, expected: string): void {
  const names = namesIn(expected).sort();
  assertEquals(namesIn(actual).sort(), names);
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
