import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { parseAnswer, verify, type VerifyOptions } from "../../../eval/answer/verify.ts";

const equal = (gold: string, answer: string, options?: VerifyOptions) => verify(gold, answer, options).equal;

Deno.test("a verdict says by which rule, and how both sides were understood", () => {
  assertEquals(verify("\\frac{1}{2}", "0.5"), {
    equal: true,
    rule: "exact numbers",
    gold: "1/2",
    answer: "1/2",
  });
  assertEquals(verify("1+\\sqrt{2}", "\\sqrt{3+2\\sqrt{2}}"), {
    equal: true,
    rule: "same value to 110 digits",
    gold: "1 + sqrt(2)",
    answer: "sqrt(3 + 2*sqrt(2))",
  });
  const units = verify("5\\text{ cm}", "5\\text{ m}");
  assertEquals([units.rule, units.detail, units.gold], ["units disagree", "cm and m", "5 cm"]);
  assert(verify("(1,2)", "(1,3)").rule.startsWith("tuple: part 2 differs"));
  assertEquals(verify("x^2-1", "(x-1)(x+1)").rule, "exact algebra");
  assertEquals(verify("12", "12").rule, "identical text");
  assertEquals(verify("\\div", "5").rule, "different text");
});

Deno.test("percent: p% is p/100; it is bare p too where the task says so", () => {
  assert(equal("20\\%", "0.2"));
  assert(!equal("20\\%", "20"));
  assert(equal("20\\%", "20", { percent: true }));
  assert(equal("20", "20\\%", { percent: true }));
  assert(!equal("20", "0.2", { percent: true }));
  assert(equal("0.5\\%", "0.5", { percent: true }));
  assert(!equal("0.5\\%", "0.5"));
  assert(equal("1\\%", "1", { percent: true }));
});

Deno.test("a base may be left out where the task says so", () => {
  assert(!equal("204_5", "204"));
  assert(equal("204_5", "204", { bases: true }));
  assert(equal("-221_3", "-221", { bases: true }));
  assert(!equal("204_5", "54", { bases: true }));
  assert(!equal("204_5", "204_6", { bases: true }));
});

Deno.test("tolerances are exact decimals, absolute, inclusive; decimals count half a unit", () => {
  assert(!equal("1/3", "0.333333"));
  assert(equal("1/3", "0.333333", { precision: 6 }));
  assert(!equal("1/3", "0.33333", { precision: 6 }));
  assert(equal("0.3", "0.2", { precision: "0.1" }));
  assert(!equal("0.3", "0.1999999999999999999", { precision: "0.1" }));
  assert(equal("\\pi", "3.14", { precision: "1e-2" }));
  assert(!equal("\\pi", "3.14", { precision: "1e-3" }));
  assert(equal("7\\times 10^{35}", "7.1\\times 10^{35}", { precision: "1e34" }));
  assert(!equal("7\\times 10^{35}", "7.1\\times 10^{35}", { precision: "1e33" }));
  assert(equal("1, 2", "2.1, 1", { precision: ["0", "0.1"] }));
  assert(!equal("1, 2", "2, 1.1", { precision: ["0", "0.1"] }));
  assert(equal("(\\frac{3}{5},\\frac{8}{3}]", "(0.6,2.6667]", { precision: 2 }));
  assertThrows(() => verify("\\pi", "3", { precision: "much" }), UserError, "precision");
});

Deno.test("names of variables count, unless strict is off", () => {
  assert(!equal("f(x)", "f(y)"));
  assert(equal("f(x)", "f(y)", { strict: false }));
  assert(equal("x^2+y", "a^2+b", { strict: false }));
  assert(!equal("x^2+y", "a^2-b", { strict: false }));
});

Deno.test("any one of several golds will do", () => {
  assert(verify(["1", "2"], "2").equal);
  assert(!verify(["1", "2"], "3").equal);
  assert(!verify([], "3").equal);
});

Deno.test("verdicts do not depend on what was judged before", () => {
  const pairs: [string, string][] = [["e^{x}", "e^x"], ["f(x)", "f"], ["\\sin 2x", "2\\sin x\\cos x"], [
    "i^2",
    "-1",
  ], ["\\sum_{i=1}^{3} i", "6"]];
  const once = pairs.map(([a, b]) => verify(a, b));
  for (let k = 0; k < 3; k++) {
    assertEquals([...pairs].reverse().map(([a, b]) => verify(a, b)).reverse(), once);
  }
});

Deno.test("parseAnswer shows what is understood, and never throws on account of the text", () => {
  assertEquals(parseAnswer("$\\dfrac12$.").normalized, parseAnswer("\\frac 12").normalized);
  assertEquals(parseAnswer("(1, 2]").node?.kind, "tuple");
  assertEquals(parseAnswer("1, 2").node?.kind, "list");
  assertEquals(parseAnswer("\\frac{1}{").node, null);
  assertEquals(parseAnswer("1,2", true).node?.kind, "number");
});
