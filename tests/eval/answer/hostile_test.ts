import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { loadEngine } from "../../../eval/answer/algebra/engine.ts";
import { guarded } from "../../../eval/answer/guarded.ts";
import { verify } from "../../../eval/answer/verify.ts";

/** Families of hostile texts: each makes one of a given size (1 to 50, not linear in every family). */
const FAMILIES: Record<string, (n: number) => string> = {
  "towers of powers": (n) => "9^{".repeat(n) + "9" + "}".repeat(n),
  "towers without braces": (n) => "10^".repeat(n) + "10",
  "powers of large powers": (n) => `(10^{${10 ** Math.min(n, 15)}})^{${n}}`,
  "factorials of factorials": (n) => "(".repeat(n) + "9" + ")!".repeat(n),
  "factorials in a row": (n) => "7" + "!".repeat(n),
  "large factorials": (n) => `${n}000000!`,
  "nested radicals": (n) => "\\sqrt{2+".repeat(n * 10) + "x" + "}".repeat(n * 10),
  "nested radicals of numbers": (n) => "\\sqrt{2+".repeat(n) + "2" + "}".repeat(n),
  "nested fractions": (n) => "\\frac{1}{1+".repeat(n * 4) + "x" + "}".repeat(n * 4),
  "nested brackets": (n) => "(".repeat(n * 40) + "1" + ")".repeat(n * 40),
  "open brackets": (n) => "(".repeat(n * 400),
  "open braces": (n) => "{".repeat(n * 400),
  "open fractions": (n) => "\\frac{".repeat(n * 100),
  "long digits": (n) => "7".repeat(n * 37),
  "long decimals": (n) => `0.${"3".repeat(n * 37)}`,
  "large exponents": (n) => `1e${"9".repeat(n)}`,
  "long sums": (n) => Array.from({ length: n * 8 }, (_, k) => `x_{${k}}`).join("+"),
  "products of sums": (n) => "(a+b+c+d+e_1)".repeat(n),
  "powers of sums": (n) => `(a+b+c+d)^{${n * 10}}`,
  "powers of powers of sums": (n) => `((x+y)^{${n}})^{${n}}`,
  "many roots": (n) => Array.from({ length: n }, (_, k) => `\\sqrt{${k * k + 1}}`).join("+"),
  "products of roots": (n) => Array.from({ length: n }, (_, k) => `(1+\\sqrt{${k + 2}})`).join(""),
  "large roots": (n) => `\\sqrt[${n}00]{2}+\\sqrt{${"97".repeat(n)}}`,
  "sums with bounds": (n) => `\\sum_{k=1}^{${10 ** Math.min(n, 12)}} k^{${n}}`,
  "nested sums": (n) => "\\sum_{k=1}^{400}".repeat(Math.min(n, 8)) + " k",
  "products with bounds": (n) => `\\prod_{k=1}^{${n * 100}} (k^2+1)`,
  "long lists": (n) => Array.from({ length: n * 10 }, (_, k) => k).join(", "),
  "lists of signs": (n) => Array.from({ length: n }, (_, k) => `\\pm ${k}`).join(", "),
  "signs in a row": (n) => "\\pm ".repeat(n) + "1",
  "minus signs": (n) => "-".repeat(n * 20) + "1",
  "long matrices": (n) => `\\begin{pmatrix}${Array(n * 8).fill("1 & x \\\\").join("")}1 & 2\\end{pmatrix}`,
  "products of matrices": (n) => "\\begin{pmatrix}1&x\\\\x&1\\end{pmatrix}".repeat(Math.min(n, 45)),
  "unions": (n) => Array.from({ length: n * 3 }, (_, k) => `(${k},${k + 1})`).join("\\cup"),
  "chains": (n) => Array(n * 20).fill("x").join("="),
  "inequalities": (n) => Array(n * 20).fill("x").join("<"),
  "boxes": (n) => "\\boxed{".repeat(n * 100),
  "boxes of boxes": (n) => "\\boxed{1} ".repeat(n * 100),
  "final answers": (n) => "the final answer is ".repeat(n * 50),
  "dollar signs": (n) => "$".repeat(n * 100) + "5" + "$".repeat(n),
  "open maths": (n) => "\\[ \\( ".repeat(n * 50),
  "commas": (n) => ",".repeat(n * 100),
  "thousands": (n) => "1" + ",000".repeat(n * 8),
  "spaces": (n) => `1${" ".repeat(n * 400)}2`,
  "texts in texts": (n) => "\\text{".repeat(n * 8) + "a" + "}".repeat(n * 8),
  "faces in faces": (n) => "\\mathrm{".repeat(n * 8) + "a" + "}".repeat(n * 8),
  "names of objects": (n) =>
    ["\\constructor", "\\toString{1}", "__proto__", "5 \\text{constructor}", "\\hasOwnProperty(2)"][n % 5] +
    n,
  "code": (n) =>
    ["process.exit(1)", "while(true){}", "${7*7}", "<script>alert(1)</script>", "__import__('os')"][n % 5] +
    ";".repeat(n),
  "odd characters": (n) =>
    String.fromCodePoint(...Array.from({ length: n * 5 }, (_, k) => 1 + ((k * 7919 + n * 104729) % 0xd000))),
  "halves of pairs": (n) => "\ud83d".repeat(n) + "5" + "\udd22".repeat(n),
  "tiny angles": (n) => `\\cos(10^{-${n * 10}})`,
  "large angles": (n) => `\\sin(10^{${n * 10}})`,
  "logarithms of logarithms": (n) => "\\ln ".repeat(n) + "x",
  "exponentials of exponentials": (n) => "e^{".repeat(n) + "x" + "}".repeat(n),
  "binomials": (n) => `\\binom{${n}0000}{${n}000}`,
  "binomials of letters": (n) => `\\binom{n+${n}}{k+${n}}`,
};

/** Seconds of work: on a machine that is busy with other things the clock on the wall says little. */
function busySeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

Deno.test("at least 1,000 hostile texts get a verdict within 2 s each, and none of them is equal to another", async () => {
  await loadEngine();
  let count = 0;
  let slowest = 0;
  let times = 0;
  for (const [family, make] of Object.entries(FAMILIES)) {
    for (let n = 1; n <= 50; n += family.startsWith("names") || family === "code" ? 5 : 2) {
      const text = make(n);
      const rewritten = `${text}+0`;
      for (
        const [gold, answer, extract] of [["5", text, "none"], [text, rewritten, "none"], [
          "5",
          text,
          "any",
        ]] as const
      ) {
        const start = busySeconds();
        const verdict = verify(gold, answer, { extract });
        const seconds = busySeconds() - start;
        slowest = Math.max(slowest, seconds);
        if (verdict.rule === "time") times++;
        assert(seconds < 2, `${family} ${n}: ${seconds} s`);
        assert(typeof verdict.equal === "boolean" && verdict.rule !== "");
      }
      assertEquals(verify(text, text).equal, text.trim() !== "", `${family} ${n} is identical to itself`);
      count++;
    }
  }
  console.log(
    `hostile texts: ${count}, three verdicts each; slowest ${
      (slowest * 1000).toFixed(0)
    } ms, stopped by the clock: ${times}`,
  );
  assert(count >= 1000);
  assertEquals(times, 0);
});

Deno.test("what is too large to decide is said to be so, but identical text is decided first", () => {
  assertEquals(verify("10^{10^{10^{10}}}", "10^{10}").rule, "too large to decide");
  assertEquals(verify("10^{10^{10^{10}}}", "10^{10^{10^{10}}}").equal, true);
  assertEquals(verify("((9!)!)!", "5").rule, "too large to decide");
  assertEquals(verify("x".repeat(5000), "y".repeat(5000)).equal, false);
});

Deno.test("the clock really stops the work, and its verdict is not equal", () => {
  const verdict = guarded(() => {
    for (;;);
  }, 0.05);
  assertEquals(verdict, { equal: false, rule: "time" });
  assertEquals(verify("1+1", "2").equal, true);
});
