import { wayOfThinking } from "../../model/thinking/ways.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { builtinConfig } from "../../model/builtin/builtin_model.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { generate } from "../../model/generation/generate.ts";
import type { Rollout } from "../../model/generation/rollout.ts";
import { initialise } from "../../model/transformer/initialise.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { createModel, freeModel, type Model } from "../../model/transformer/transformer.ts";

/** The embedded model's shape, smaller where it may be. */
const SHAPE: ModelConfig = { ...builtinConfig(), layers: 2, kvHeads: 2, maxPosition: 64, eosTokenIds: [] };

/**
 * Lets a small model of random weights think softly, once alone and once among others.
 *
 * @returns whether the same rollout came out to the bit, and all numbers were finite
 */
export async function tryModel(gpu: Gpu): Promise<{ finite: boolean; invariant: boolean }> {
  const model = createModel(gpu, SHAPE);
  initialise(gpu, SHAPE, model.params, 0);
  const [alone] = await think(model, [2]);
  const among = (await think(model, [0, 1, 2, 3, 4, 5]))[2];
  freeModel(model);
  const finite = [...alone.thinkingStats.entropy, ...alone.answerStats.logp].every(Number.isFinite);
  return { finite, invariant: JSON.stringify(said(alone)) === JSON.stringify(said(among)) };
}

const said = ({ thinking, answer, thinkingStats, answerStats }: Rollout) => ({
  thinking,
  answer,
  entropy: [...thinkingStats.entropy],
  logp: [...answerStats.logp],
});

async function think(model: Model, rolloutIds: number[]): Promise<Rollout[]> {
  const tokenizer = builtinTokenizer();
  using scratch = model.gpu.arena.scratch();
  const batch = await generate(model, tokenizer, {
    prompts: [tokenizer.encode("User: Sam has 10 coins. How many coins does Sam have? Assistant:")],
    group: rolloutIds.length,
    thinking: wayOfThinking("soft", { greedy: false, gamma: 0.33, embeddingRms: 0.02 }),
    rules: thinkingRules(tokenizer, { maxThinking: 12, maxAnswer: 4, endTokenIds: [] }),
    answerTau: 1,
    rolloutIds,
    seed: 0,
    step: 0,
  }, scratch);
  return batch.rollouts;
}
