/** What the code calls "method section N" can be read in docs/method.md. */
import { assert, assertEquals } from "@std/assert";
import { root } from "./support/places.ts";

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${root}${folder}`)) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (/\.(ts|wgsl|md|toml)$/.test(name)) yield path;
  }
}

Deno.test("every section of the method that is named anywhere stands in docs/method.md", () => {
  const document = Deno.readTextFileSync(`${root}docs/method.md`);
  const headings = [...document.matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number));
  assertEquals(headings, headings.map((_, i) => i + 1));
  let named = 0;
  for (const path of ["cli", "rl", "eval", "model", "gpu", "tests"].flatMap((room) => [...sources(room)])) {
    const text = Deno.readTextFileSync(root + path).replaceAll(/\s+(\/\/|\*)?\s*/g, " ");
    for (const [, numbers] of text.matchAll(/method,? sections? (\d+(?:(?:, | and | to )\d+)*)/g)) {
      for (const number of numbers.match(/\d+/g)!.map(Number)) {
        assert(headings.includes(number), `${path}: method section ${number}`);
        named++;
      }
    }
  }
  assert(named > 40, `${named} are named`);
});
