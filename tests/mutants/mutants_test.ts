import { assert, assertEquals } from "@std/assert";
import { root } from "../support/places.ts";
import { MUTANTS } from "./mutants.ts";

Deno.test("every mutant's text stands in its file once, is changed, and has tests that are there", () => {
  assert(MUTANTS.length >= 60);
  for (const { file, fault, from, to, tests } of MUTANTS) {
    const text = Deno.readTextFileSync(root + file);
    assertEquals(text.split(from).length - 1, 1, `${file}: ${fault}`);
    assert(from !== to, fault);
    for (const name of tests) Deno.statSync(`${root}tests/${name}`);
  }
});
