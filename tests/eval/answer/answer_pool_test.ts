import { assert, assertEquals } from "@std/assert";
import { createAnswerPool } from "../../../eval/answer/answer_pool.ts";
import { verify } from "../../../eval/answer/verify.ts";

const PAIRS = [
  { gold: "\\frac{1}{2}", answer: "0.5" },
  { gold: "1+\\sqrt{2}", answer: "\\sqrt{3+2\\sqrt{2}}" },
  { gold: "5", answer: "6" },
  { gold: ["3", "4"], answer: "4" },
  { gold: "10^{10^{10}}", answer: "10^{11}" },
  { gold: "20\\%", answer: "20", options: { percent: true } },
  { gold: "20\\%", answer: "20" },
  { gold: "42", answer: "I think \\boxed{42}", options: { extract: "box" as const } },
];

Deno.test("a pool gives the verdicts of verify, in order, with any number of workers", async () => {
  const expected = PAIRS.map(({ gold, answer, options }) => verify(gold, answer, options));
  for (const workers of [1, 2]) {
    using pool = createAnswerPool({ workers });
    assertEquals(await pool.verify(PAIRS), expected);
    assertEquals(pool.counts, {
      checked: PAIRS.length,
      equal: expected.filter((v) => v.equal).length,
      time: 0,
      tooLarge: 1,
    });
    assertEquals((await pool.verify([{ gold: "7", answer: "7.0" }]))[0].equal, true);
  }
});

Deno.test("the caller goes on while a pool works", async () => {
  using pool = createAnswerPool();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const many = Array.from(
    { length: 200 },
    (_, k) => ({ gold: `\\sin^2 x + ${k}`, answer: `${k + 1} - \\cos^2 x` }),
  );
  const verdicts = await pool.verify(many);
  clearInterval(timer);
  assert(verdicts.every((v) => v.equal));
  assert(ticks > 5);
});

Deno.test("closing a pool settles what still waits", async () => {
  const pool = createAnswerPool();
  const waiting = pool.verify([{ gold: "1", answer: "1" }]);
  pool.close();
  assertEquals((await waiting)[0].rule, "pool closed");
});
