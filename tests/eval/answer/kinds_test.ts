import { assert, assertEquals } from "@std/assert";
import { verify } from "../../../eval/answer/verify.ts";
import { KINDS } from "./support/kinds/kinds.ts";
import type { Judged } from "./support/kinds/kind.ts";

/** The pairs whose verdict is another one than this, in either order where no part of a text is looked for. */
function judgedOtherwise(pairs: Judged[], expected: boolean, oneWay = false): string[] {
  const wrong: string[] = [];
  for (const [gold, answer, options = {}] of pairs) {
    const orders = oneWay || options.extract ? [[gold, answer]] : [[gold, answer], [answer, gold]];
    for (const [a, b] of orders) {
      const verdict = verify(a, b, options);
      assert(verdict.rule !== "time", `${a} | ${b} was stopped by the clock`);
      if (verdict.equal !== expected) wrong.push(`${a}  |  ${b}: ${verdict.rule} (${verdict.detail ?? ""})`);
    }
  }
  return wrong;
}

for (const [name, { same, different, near, oneWay }] of Object.entries(KINDS)) {
  Deno.test(`${name}: what says the same is equal`, () =>
    assertEquals(judgedOtherwise(same, true, oneWay), []));
  Deno.test(`${name}: what says something else is not`, () => {
    assertEquals(judgedOtherwise(different, false, oneWay), []);
  });
  Deno.test(`${name}: nor is what looks alike`, () => assertEquals(judgedOtherwise(near, false, oneWay), []));
}

Deno.test("there are at least 200 near misses of these kinds", () => {
  assert(Object.values(KINDS).flatMap(({ near }) => near).length >= 200);
});
