import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { extractAnswer } from "../../../eval/answer/extract_answer.ts";
import { boxedContinuation, lastBox } from "../../../eval/answer/box.ts";
import { equalRationals, formatRational, parseDecimal, rational } from "../../../eval/answer/rational.ts";
import { verify, type VerifyOptions } from "../../../eval/answer/verify.ts";
import { hasData, random, readGolds } from "./support/data_sets.ts";

const RUNS = { numRuns: 400, seed: 5 };

const integer = fc.integer({ min: -999, max: 999 }).map(String);
const decimal = fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: 0, max: 999 })).map(([a, b]) =>
  `${a}.${b}`
);
const fraction = fc.tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: 1, max: 30 })).map(([a, b]) =>
  `\\frac{${a}}{${b}}`
);
const number = fc.oneof(integer, decimal, fraction);
const symbol = fc.constantFrom("x", "y", "n", "\\pi", "e", "a_1", "\\theta");

const expression: fc.Arbitrary<string> = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    number,
    symbol,
    fc.tuple(tie("tree"), fc.constantFrom("+", "-", "\\cdot "), tie("tree")).map(([a, op, b]) =>
      `(${a}${op}${b})`
    ),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `\\frac{${a}}{${b}}`),
    tie("tree").map((a) => `\\sqrt{${a}}`),
    fc.tuple(tie("tree"), fc.integer({ min: -3, max: 4 })).map(([a, k]) => `(${a})^{${k}}`),
    fc.tuple(fc.constantFrom("\\sin", "\\cos", "\\ln"), tie("tree")).map(([f, a]) => `${f}(${a})`),
    tie("tree").map((a) => `|${a}|`),
  ),
})).tree;

const several = (item: fc.Arbitrary<string>) => fc.array(item, { minLength: 2, maxLength: 3 });
const answer = fc.oneof(
  expression,
  number.map((a) => `${a}\\%`),
  number.map((a) => `${a}\\text{ cm}`),
  number.map((a) => `${a}^\\circ`),
  several(number).map((items) => items.join(", ")),
  several(number).map((items) => `(${items.join(", ")})`),
  several(number).map((items) => `\\{${items.join(", ")}\\}`),
  fc.tuple(fc.constantFrom("(", "["), number, number, fc.constantFrom(")", "]")).map(([l, a, b, r]) =>
    `${l}${a}, ${b}${r}`
  ),
  fc.tuple(number, number).map(([a, b]) => `(-\\infty, ${a}) \\cup [${b}, \\infty)`),
  fc.tuple(symbol, fc.constantFrom("=", "<", "\\le ", "\\neq "), expression).map(([a, op, b]) =>
    `${a}${op}${b}`
  ),
  fc.tuple(number, number).map(([a, b]) => `${a} < x \\le ${b}`),
  fc.tuple(number, number).map(([a, b]) => `x \\in [${a}, ${b})`),
  fc.tuple(number, number).map(([a, b]) => `${a} \\pm \\sqrt{${b}}`),
  fc.tuple(number, number, number, number).map(([a, b, c, d]) =>
    `\\begin{pmatrix} ${a} & ${b} \\\\ ${c} & ${d} \\end{pmatrix}`
  ),
  fc.tuple(fc.nat(60), fc.nat(60)).map(([a, b]) => `${a}:${b}`),
  fc.tuple(fc.nat(4), fc.integer({ min: 5, max: 9 })).map(([a, b]) => `${a}${a}_${b}`),
  fc.constantFrom(
    "\\text{yes}",
    "\\text{(B)}",
    "B",
    "no solution",
    "f(x) = x + 1",
    "\\emptyset",
    "\\infty",
    "12:00",
  ),
);

const any: VerifyOptions = { percent: true, allowSetRelation: true };

Deno.test("every answer equals itself, with and without spaces around it", () => {
  fc.assert(fc.property(answer, (a) => verify(a, a).equal && verify(` ${a} `, `${a}.`).equal), RUNS);
});

Deno.test("the order of the two sides does not matter", () => {
  fc.assert(
    fc.property(answer, answer, (a, b) => verify(a, b, any).equal === verify(b, a, any).equal),
    { ...RUNS, numRuns: 1500 },
  );
});

Deno.test("nor does it for pairs that mean the same in other words", () => {
  const wrap: ((a: string) => string)[] = [
    (a) => `x = ${a}`,
    (a) => `\\left( ${a} \\right)`,
    (a) => `\\boxed{${a}}`,
    (a) => `$${a}$`,
  ];
  fc.assert(
    fc.property(expression, fc.constantFrom(...wrap), (a, change) => {
      const b = change(a);
      return verify(a, b, any).equal === verify(b, a, any).equal;
    }),
    RUNS,
  );
});

Deno.test("the one exception: a gold relation may be answered by an interval, a gold interval by a relation only if allowed", () => {
  fc.assert(
    fc.property(fc.integer({ min: -50, max: 0 }), fc.integer({ min: 1, max: 50 }), (a, b) => {
      const [interval, relation] = [`[${a}, ${b})`, `${a} \\le x < ${b}`];
      assert(verify(relation, interval).equal);
      assertEquals(verify(interval, relation).equal, false);
      assert(verify(interval, relation, { allowSetRelation: true }).equal);
    }),
    { numRuns: 50, seed: 5 },
  );
});

Deno.test("a sum is the same in another order of its terms, and another one with a number more", () => {
  fc.assert(
    fc.property(several(expression), fc.integer({ min: 2, max: 9 }), (terms, k) => {
      const sum = terms.join("+");
      const other = [...terms].reverse().join("+");
      const { equal, rule } = verify(sum, other);
      assert(
        equal || rule === "not proved equal" || rule === "too large to decide",
        `${sum} | ${other}: ${rule}`,
      );
      assertEquals(verify(`${sum}+${k}`, `${other}`).equal, false);
    }),
    { numRuns: 200, seed: 5 },
  );
});

Deno.test("decimals are exact fractions", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.integer({ min: 0, max: 40 }),
      (digits, places) => {
        const sign = digits < 0n ? "-" : "";
        const text = `${digits < 0n ? -digits : digits}`.padStart(places + 1, "0");
        const decimal = `${sign}${text.slice(0, text.length - places)}.${text.slice(text.length - places)}`;
        const value = parseDecimal(decimal)!;
        assert(equalRationals(value, rational(digits, 10n ** BigInt(places))), decimal);
        assert(verify(formatRational(value), decimal).equal);
        assertEquals(verify(decimal, `${decimal}1`).equal, false);
      },
    ),
    RUNS,
  );
});

Deno.test("what stands in a box is what comes out of it", () => {
  fc.assert(
    fc.property(
      answer,
      fc.constantFrom("", "So ", "\\boxed{0} is wrong. Rather, therefore: "),
      (a, before) => {
        assertEquals(lastBox(`${before}$\\boxed{${a}}$.`), a);
        assertEquals(boxedContinuation(`${a}} and more}`), a);
        assertEquals(extractAnswer(`${before}$\\boxed{${a}}$.`, "box")?.text, a);
      },
    ),
    RUNS,
  );
});

Deno.test({
  name: "gold answers of the data sets: both ways round the same verdict",
  ignore: !hasData,
  async fn() {
    const golds = [...new Set((await readGolds()).map((g) => g.gold))].filter((g) => !/^-?[\d.,]+$/.test(g));
    const next = random(77);
    for (let k = 0; k < 6000; k++) {
      const [a, b] = [0, 1].map(() => golds[Math.floor(next() * golds.length)]);
      assertEquals(verify(a, b, any).equal, verify(b, a, any).equal, `${a} | ${b}`);
    }
  },
});
