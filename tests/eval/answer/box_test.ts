import { assertEquals } from "@std/assert";
import { boxedContinuation, lastBox } from "../../../eval/answer/box.ts";
import { verify } from "../../../eval/answer/verify.ts";

Deno.test("a continuation ends at the brace that closes the forced box", () => {
  assertEquals(boxedContinuation("25}. Next"), "25");
  assertEquals(boxedContinuation(" \\frac{1}{2} }"), "\\frac{1}{2}");
  assertEquals(boxedContinuation("\\{1, 2\\}}"), "\\{1, 2\\}");
  assertEquals(boxedContinuation("25"), null);
  assertEquals(boxedContinuation("\\frac{1}{2"), null);
  assertEquals(boxedContinuation(" }7"), null);
  assertEquals(boxedContinuation(""), null);
});

Deno.test("the last box wins, nested braces and all", () => {
  assertEquals(
    lastBox("so \\boxed{1} no, \n\n then $\\boxed{\\frac{\\sqrt{2}}{3}}$."),
    "\\frac{\\sqrt{2}}{3}",
  );
  assertEquals(lastBox("\\fbox{12}"), "12");
  assertEquals(lastBox("hence $\\boxed 7$."), "7");
  assertEquals(lastBox("no box"), null);
  assertEquals(lastBox("\\boxed{}"), null);
  assertEquals(lastBox("\\boxed{3} and then \\boxed{4"), null);
});

Deno.test("boxes joined only by comma, and, or are one answer", () => {
  assertEquals(lastBox("\\boxed{1} and \\boxed{2}, \\boxed{3}"), "1, 2, 3");
  assertEquals(lastBox("\\boxed{1} is wrong because of this. So it is $\\boxed{2}$"), "2");
});

Deno.test("plain numbers are judged exactly", () => {
  assertEquals(verify("1000", "1,000.0").equal, true);
  assertEquals(verify("0.1", "0.10000000000000001").equal, false);
  assertEquals(verify(["3", "4"], "4.").equal, true);
});
