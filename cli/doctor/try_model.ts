import { wayOfThinking } from "../../model/thinking/ways.ts";
import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { builtinConfig } from "../../model/builtin/builtin_model.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { generate } from "../../model/generation/generate.ts";
import type { GeneratedBatch, Rollout } from "../../model/generation/rollout.ts";
import { initialise } from "../../model/transformer/initialise.ts";
import { freeParams, zeroParams } from "../../model/transformer/params.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { createModel, freeModel, type Model } from "../../model/transformer/transformer.ts";
import { mismatchOf } from "../../rl/mismatch.ts";
import { accumulateGradient } from "../../rl/objective.ts";
import { createLike } from "../../rl/optimizer.ts";
import type { ScoredGroup } from "../../rl/packed_batch.ts";
import type { RolloutBatch } from "../../rl/rollout_source.ts";

/** The embedded model's shape, with heads of a width whose root is no power of two, and room for what is asked below. */
const SHAPE: ModelConfig = {
  ...builtinConfig(),
  ...{ layers: 2, heads: 2, kvHeads: 1, headDim: 32, maxPosition: 256, eosTokenIds: [] },
};

/** So long that its keys are more than any tile or workgroup of attention has rows. */
const PROMPT = `User: Sam has 10 coins. ${
  "Sam finds 12 more. Sam loses 5. ".repeat(14)
}How many coins does Sam have? Assistant:`;

/** What a small model's rollouts came to. */
export interface ModelTest {
  /** All numbers were. */
  finite: boolean;
  /** A rollout came out the same to the bit alone and among others. */
  invariant: boolean;
  /** The largest difference between what rollouts decoded and what training, which looks at all their tokens at once, finds again. */
  mismatch: number;
}

/** Lets a small model of random weights think softly, once alone and once among others, and looks back on that as training does. */
export async function tryModel(gpu: Gpu): Promise<ModelTest> {
  const model = createModel(gpu, SHAPE);
  initialise(gpu, SHAPE, model.params, 0);
  try {
    using scratch = gpu.arena.scratch();
    using another = gpu.arena.scratch();
    const { rollouts: [alone] } = await think(model, [2], another);
    const batch = await think(model, [0, 1, 2, 3, 4, 5], scratch);
    const mismatch = await lookBack(model, batch);
    const numbers = [...alone.thinkingStats.entropy, ...alone.answerStats.logp, mismatch];
    return {
      finite: numbers.every(Number.isFinite),
      invariant: JSON.stringify(said(alone)) === JSON.stringify(said(batch.rollouts[2])),
      mismatch,
    };
  } finally {
    freeModel(model);
  }
}

const said = ({ thinking, answer, thinkingStats, answerStats }: Rollout) => ({
  thinking,
  answer,
  entropy: [...thinkingStats.entropy],
  logp: [...answerStats.logp],
});

const THINKING = wayOfThinking("soft", { greedy: false, gamma: 0.33, embeddingRms: 0.02 });
const prompt = () => builtinTokenizer().encode(PROMPT);

async function think(model: Model, rolloutIds: number[], scratch: Scratch): Promise<GeneratedBatch> {
  const tokenizer = builtinTokenizer();
  return await generate(model, tokenizer, {
    prompts: [prompt()],
    group: rolloutIds.length,
    thinking: THINKING,
    rules: thinkingRules(tokenizer, { maxThinking: 12, maxAnswer: 4, endTokenIds: [] }),
    answerTau: 1,
    rolloutIds,
    seed: 0,
    step: 0,
  }, scratch);
}

/** How far the pass of an update is from these rollouts; the gradient that it makes is thrown away. */
async function lookBack(model: Model, { rollouts, hidden }: GeneratedBatch): Promise<number> {
  const { gpu } = model;
  const group: ScoredGroup = {
    prompt: prompt(),
    rollouts: rollouts.map(({ index, thinking, forced, answer }) => ({
      ...{ id: index, index, thinking, forced, answer, advantage: index % 2 - 0.5 },
    })),
  };
  const grads = createLike(model, "self test gradient");
  zeroParams(gpu, grads);
  const record = await accumulateGradient(model, grads, [group], {
    ...{ thinking: THINKING, hidden, scale: 1 / rollouts.length, seed: 0, step: 0 },
    ...{ clipStep: 0, thinkingWeight: 1, recompute: false },
  })();
  freeParams(gpu, grads);
  const groups = [{
    rollouts: rollouts.map((rollout) => ({ rollout })),
  }] as unknown as RolloutBatch["groups"];
  const found = mismatchOf(THINKING, { groups, hidden, seconds: { generate: 0, grade: 0 } }, [[group]], [
    record,
  ]);
  return Math.max(found.mismatch_thinking_max, found.mismatch_answer_max, found.mismatch_near_tie_max);
}
