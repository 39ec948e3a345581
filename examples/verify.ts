// Judges answers: ./softcot deno run -A examples/verify.ts
import { loadEngine, verify } from "@softcot/softcot";

// The part that does algebra is loaded when it is asked for.
await loadEngine();

const pairs = [
  ["\\frac{1}{2}", "0.5"],
  ["x^2 - 1", "(x - 1)(x + 1)"],
  ["3", "the answer is \\boxed{4}"],
];
for (const [gold, answer] of pairs) {
  const { equal, rule, detail } = verify(gold, answer, {
    extract: answer.includes("boxed") ? "box" : "none",
  });
  console.log(
    `${gold} and ${answer}: ${equal ? "equal" : "not equal"} (${rule}${detail ? `, ${detail}` : ""})`,
  );
}
