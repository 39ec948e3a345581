/** Evaluations that tell what the steps of their first questions were made of: in every kind of mode, with the same results. */
import { assert, assertEquals } from "@std/assert";
import { evaluate } from "../../eval/evaluate.ts";
import type { Mode } from "../../eval/modes.ts";
import type { RolloutRecord } from "../../eval/results/rollout_record.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { openTestGpu } from "../gpu/support.ts";
import { randomModel, SMALL, tokenizer } from "../model/support/small_models.ts";

const { gpu } = await openTestGpu();
const MODES: Mode[] = [
  "hard-sample",
  "soft-sample",
  "soft-greedy",
  "multiplex-sample",
  "gumbel-greedy",
  "soft-thinking",
];

async function recordsOf(keepMixtures: number, known: RolloutRecord[] = []): Promise<RolloutRecord[]> {
  const model = randomModel(gpu, { ...SMALL, eosTokenIds: [6, 12, 18, 24, 30] });
  const records: RolloutRecord[] = [];
  await evaluate(model, tokenizer, sums, {
    ...{ modes: MODES, embeddingRms: 0.1, gamma: 0.3, samples: 2, stream: "test", questions: 4, seed: 3 },
    ...{ maxThinking: 9, answerTokens: 3, batchRows: 3, keepMixtures },
    known: (mode) => known.filter((record) => record.mode === mode),
    onRollout: (record) => void records.push(record),
  });
  return records.sort((a, b) =>
    MODES.indexOf(a.mode) - MODES.indexOf(b.mode) || a.index - b.index || a.sample - b.sample
  );
}

const without = ({ mixtures: _, noise: _n, surprise: _s, pieces: _p, time: _t, ...rest }: RolloutRecord) =>
  rest;
const timeless = ({ time: _, ...rest }: RolloutRecord) => rest;

Deno.test("the first questions of each mode tell what their steps were made of, and nothing else changes", async () => {
  const [plain, kept] = [await recordsOf(0), await recordsOf(2)];
  assertEquals(kept.map(without), plain.map(timeless));
  for (const { mode, index, thinkingTokens, answerTokens, mixtures, noise, surprise, pieces } of kept) {
    const isKept = index < 2;
    assertEquals(pieces !== undefined, isKept);
    const steps = (there: boolean) => isKept && there ? thinkingTokens.length : undefined;
    assertEquals(mixtures?.length, steps(mode !== "hard-sample"), mode);
    assertEquals(noise?.length, steps(mode === "soft-sample"), mode);
    assertEquals(surprise?.length, steps(mode === "soft-sample" || mode === "multiplex-sample"), mode);
    for (const id of isKept ? [...thinkingTokens, ...answerTokens] : []) assert(id in pieces!);
    for (const [t, tokens] of (mixtures ?? []).entries()) {
      // The shadow is the likeliest token, which is also the heaviest but where tokens are drawn.
      if (mode !== "multiplex-sample") assertEquals(tokens[0][0], thinkingTokens[t]);
      assert(
        Math.abs(1 - tokens.reduce((sum, [, weight]) => sum + weight, 0)) <
          (mode.startsWith("soft") ? 0.9 : 1e-3),
      );
    }
  }
  // What was interrupted goes on, whichever samples of the first questions are there.
  const some = kept.filter((_, i) => i % 3 !== 0);
  const rest = await recordsOf(2, some);
  assertEquals(rest.map(timeless), kept.filter((_, i) => i % 3 === 0).map(timeless));
});
