import { assert, assertEquals } from "@std/assert";
import { verify, type VerifyOptions } from "../../../eval/answer/verify.ts";
import { NEAR_MISSES } from "./support/near_misses.ts";
import { SAME_ANSWERS } from "./support/same_answers.ts";

const OPTIONS: VerifyOptions[] = [{}, { percent: true }, {
  percent: true,
  allowSetRelation: true,
  timeLimit: 0.2,
}];

for (const [name, pairs] of Object.entries(NEAR_MISSES)) {
  Deno.test(`near misses are not equal: ${name}`, () => {
    const wrong: string[] = [];
    for (const [a, b] of pairs) {
      for (const options of OPTIONS) {
        for (const [gold, answer] of [[a, b], [b, a]]) {
          const verdict = verify(gold, answer, options);
          if (verdict.equal) wrong.push(`${gold}  |  ${answer}: ${verdict.rule}`);
          assert(verdict.rule !== "time", `${gold} | ${answer} took too long`);
        }
      }
    }
    assertEquals(wrong, []);
  });
}

Deno.test("there are at least 300 near misses", () => {
  assert(Object.values(NEAR_MISSES).flat().length >= 300);
});

for (const [name, pairs] of Object.entries(SAME_ANSWERS)) {
  Deno.test(`other ways of writing are equal, both ways round: ${name}`, () => {
    const wrong: string[] = [];
    for (const [a, b] of pairs) {
      for (const [gold, answer] of [[a, b], [b, a]]) {
        const verdict = verify(gold, answer, { percent: true, allowSetRelation: true });
        if (!verdict.equal) wrong.push(`${gold}  |  ${answer}: ${verdict.rule} (${verdict.detail ?? ""})`);
      }
    }
    assertEquals(wrong, []);
  });
}
