import { assert, assertEquals } from "@std/assert";
import { judgeMutants } from "./support/judge_mutants.ts";
import { answersAtHand, makeMutants } from "./support/make_mutants.ts";
import { differInValue } from "./support/independent_value.ts";

Deno.test("of 3,000 mutants of the answers at hand none with another value is equal, and none is decided by the clock", async () => {
  const answers = await answersAtHand();
  const mutants = makeMutants(answers, 3000, 5);
  assertEquals(mutants, makeMutants(answers, 3000, 5));
  const found = await judgeMutants(mutants, true);
  assertEquals(found.falseEqual, []);
  assertEquals(found.stopped, 0);
  assert(found.same > 500);
});

Deno.test("the other reader of LaTeX tells values apart, and says where it cannot", () => {
  const cases: [string, string, boolean | null][] = [
    ["\\frac{1}{2}", "0.5", false],
    ["\\frac{1}{2}", "\\frac{2}{1}", true],
    ["x(x+1)^2", "x^3+2x^2+x", false],
    ["x(x+1)^2", "x^2(x+1)^2", true],
    ["1, 2", "2, 1", false],
    ["(1, 2)", "(2, 1)", true],
    ["x=5", "5", false],
    ["2\\sqrt{3}\\text{ cm}", "\\sqrt{12}", false],
    ["\\text{yes}", "\\text{no}", null],
    ["x>2", "x>3", null],
    ["1, 2", "1", null],
  ];
  for (const [a, b, expected] of cases) assertEquals(differInValue(a, b), expected, `${a} | ${b}`);
});
