/** What a worker sends comes out as it went in; every byte of it that is changed is refused, or changes nothing but numbers. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Rollout, StepStats } from "../../../model/generation/rollout.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import {
  decodeResult,
  encodeResult,
  type Expected,
  mostBytes,
  OutdatedResult,
  RefusedResult,
} from "../../../rl/workers/result.ts";
import { idOf, tokenizer } from "../../model/support/small_models.ts";

const WIDTH = 5;
const END = idOf("<end>");
const rules = thinkingRules(tokenizer, { maxThinking: 4, maxAnswer: 3, endTokenIds: [END] });
const COIN = idOf(" coins");
const expected: Expected = {
  ...{ job: "j", version: "1", weights: "f".repeat(64), rules, tokenizer, vocab: 80, width: WIDTH, rows: 2 },
  update: 3,
  prompts: [{ prompt: [1, 2], rolloutIds: [5, 6] }, { prompt: [3], rolloutIds: [9] }],
};
const head = {
  ...{ job: "j", version: "1", weights: expected.weights, seconds: 2, waited: 1, fetched: 7 },
  update: 3,
  device: { adapter: "a device", matmulFamily: "tile", subgroupSize: 32 },
};
const statsOf = (ids: readonly number[], at: number): StepStats => ({
  logp: Float32Array.from(ids, (_, i) => -at - i),
  entropy: Float32Array.from(ids, (_, i) => at + i / 2),
  gap: Float32Array.from(ids, (_, i) => at * i),
});
const rolloutOf = (prompt: number, index: number, thinking: number[], answer: number[]): Rollout => ({
  ...{ prompt, index, thinking, answer },
  ...{
    thinkingEnd: "limit",
    forcedKind: "triggerAndBox",
    forced: rules.forcedIds.triggerAndBox,
    answerEnd: "limit",
  },
  thinkingStats: statsOf(thinking, index + 1),
  answerStats: statsOf(answer, index + 10),
});
const ROLLOUTS = [
  rolloutOf(0, 0, [COIN, COIN, COIN, COIN], [COIN, COIN, COIN]),
  { ...rolloutOf(0, 1, [COIN, END], [COIN, END]), thinkingEnd: "end-token", answerEnd: "end-token" } as const,
  rolloutOf(1, 2, [COIN, COIN, COIN, COIN], [COIN, COIN, COIN]),
];
const ROWS = [4, 2].map((n, i) => Float32Array.from({ length: n * WIDTH }, (_, k) => i + k / 7));
const encoded = (rollouts: readonly Rollout[] = ROLLOUTS, rows = ROWS, more = {}) =>
  encodeResult({ ...head, ...more }, rollouts.map((rollout) => ({ rollout, seconds: 1 })), rows);

Deno.test("rollouts and rows come out as they went in, within the bytes that are foreseen", () => {
  const bytes = encoded();
  assert(bytes.length <= mostBytes(expected));
  const { rollouts, rows, head: { seconds, device } } = decodeResult(bytes, expected);
  assertEquals(rollouts, ROLLOUTS);
  assertEquals(rows, ROWS);
  assertEquals([seconds, device], [2, head.device]);
});

Deno.test("what is not what was asked for is refused, saying what it is", () => {
  const refused = (bytes: Uint8Array<ArrayBuffer>, why: string) =>
    assertThrows(() => decodeResult(bytes, expected), RefusedResult, why);
  const changed = (change: Partial<Rollout>) =>
    encoded([{ ...ROLLOUTS[0], ...change }, ...ROLLOUTS.slice(1)]);
  refused(new Uint8Array(0), "is no result: its 0 bytes");
  refused(encoded(ROLLOUTS, ROWS, { job: "k" }), "is of the job k, j was asked for");
  refused(encoded(ROLLOUTS, ROWS, { version: "2" }), "was made by softcot 2, 1 is needed");
  refused(encoded(ROLLOUTS, ROWS, { weights: "e".repeat(64) }), "was made with the weights eeeeeeeeeeee");
  const newer = encoded(ROLLOUTS, ROWS, { update: 4 });
  refused(newer, "was made with the weights after update 4, those after update 3 are needed");
  assertThrows(
    () => decodeResult(encoded(ROLLOUTS, ROWS, { update: 2, weights: "e".repeat(64) }), expected),
    OutdatedResult,
    "was made with the weights after update 2, those after update 3 are needed",
  );
  refused(encoded(ROLLOUTS, ROWS, { seconds: -1 }), "is no result: seconds");
  refused(encoded(ROLLOUTS, ROWS, { more: 1 }), "is no result");
  refused(encoded(ROLLOUTS.slice(1)), "has 2 rollouts, 3 are needed");
  refused(encoded(ROLLOUTS, [ROWS[0]]), "numbers, 84 belong to its rollouts");
  refused(encoded(ROLLOUTS, [ROWS[0].map(() => NaN), ROWS[1]]), "has numbers that are none");
  refused(encoded(ROLLOUTS, [ROWS[0].map(() => Infinity), ROWS[1]]), "has numbers that are none");
  refused(changed({ thinkingStats: statsOf([1, 2, 3, NaN], NaN) }), "has numbers that are none");
  const stats = statsOf([1, 2, 3, 4], 1);
  for (const infinite of [Infinity, -Infinity]) {
    refused(changed({ thinkingStats: { ...stats, logp: stats.logp.with(1, infinite) } }), "or are infinite");
    refused(
      changed({ thinkingStats: { ...stats, entropy: stats.entropy.with(1, infinite) } }),
      "or are infinite",
    );
  }
  refused(
    changed({ thinkingStats: { ...stats, logp: stats.logp.with(3, 0.5) } }),
    "has a ln p of 0.500, 0 is the most that one can be",
  );
  refused(changed({ thinking: [COIN, COIN, COIN, 80] }), "with token 80, of which the model has 80");
  refused(
    changed({ thinking: [COIN, END, COIN, COIN] }),
    "whose thinking does not end where the rules end it",
  );
  refused(changed({ answer: [END, COIN, COIN] }), "whose answer does not end where the rules end it");
});

Deno.test("whatever bytes come, they are a result or refused", () => {
  const bytes = encoded();
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
      for (const mutant of [bytes.with(at, value), bytes.slice(0, length)]) {
        try {
          decodeResult(mutant as Uint8Array<ArrayBuffer>, expected);
        } catch (error) {
          assert(error instanceof RefusedResult, `${error}`);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
