/** A rollout that is taken once more comes out again in every way of thinking, by its own weights and draws alone. */
import { assertRejects } from "@std/assert";
import { generate } from "../../../model/generation/generate.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import {
  type AnyWay,
  UNTRAINED_WAYS,
  wayOfThinking,
  type WayOptions,
  WAYS,
} from "../../../model/thinking/ways.ts";
import { freeModel, type Model } from "../../../model/transformer/transformer.ts";
import { checkRollout, type OthersRollout } from "../../../rl/workers/check_rollout.ts";
import { RefusedResult } from "../../../rl/workers/result.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { tokenizer } from "../../model/support/small_models.ts";
import { embeddingRms, tinyModel } from "../support/tiny_model.ts";

const { gpu } = await openTestGpu();
const PROMPT = tokenizer.encode("User: Sam has 10 coins. How many coins does Sam have? Assistant:");
const IDS = [40, 41, 7];
const SEEDS = { seed: 3, step: 7 };

type Draws = typeof SEEDS & { answerTau: number };
type Kind = Partial<WayOptions> & { way: AnyWay };
const KINDS: readonly Kind[] = [
  ...WAYS.map((way) => ({ way })),
  ...UNTRAINED_WAYS.map((way) => ({ way, filters: { topK: 20 } })),
  { way: "hard", filters: { topP: 0.9 } },
  { way: "soft", greedy: true },
  { way: "soft", noiseOn: "hidden" },
];

for (const { way, ...options } of KINDS) {
  Deno.test(`a rollout comes out again by its own weights and draws alone: ${way} ${JSON.stringify(options)}`, async () => {
    const [model, other] = [tinyModel(gpu), tinyModel(gpu, {}, 2)];
    const rms = await embeddingRms(model);
    const thinking = wayOfThinking(way, { greedy: false, gamma: 0.4, embeddingRms: rms, ...options });
    // As evaluations draw, and trainings.
    const draws = { ...SEEDS, answerTau: options.filters ? 0 : 1 };
    const made = await rolloutsOf(model, thinking, draws);
    const check = (by: Model, rollout: OthersRollout) => checkRollout(by, { thinking, ...draws }, rollout);
    for (const one of made) await check(model, one);
    await assertRejects(() => check(other, made[0]), RefusedResult, "is not of the weights");
    const { rollout } = made[0];
    const forged = { ...rollout, answer: rollout.answer.map((id) => (id + 1) % 20) };
    const changed = { ...rollout, thinking: rollout.thinking.map((id) => (id + 1) % 20) };
    await assertRejects(() => check(model, { ...made[0], rollout: changed }), RefusedResult);
    if (rollout.answer.length > 2) {
      await assertRejects(() => check(model, { ...made[0], rollout: forged }), RefusedResult);
    }
    // What weighs the gradient of an older policy: all of it a little, and one number more.
    for (const by of [(value: number) => value - 0.01, (value: number, i: number) => i ? value : value - 1]) {
      const { answerStats: stats } = rollout;
      const lied = { ...rollout, answerStats: { ...stats, logp: stats.logp.map(by) } };
      await assertRejects(() => check(model, { ...made[0], rollout: lied }), RefusedResult, "ln p of");
    }
    if (thinking.continuous) {
      const rows = made[0].rows!.map((value) => 1.1 * value);
      await assertRejects(() => check(model, { ...made[0], rows }), RefusedResult);
    }
    for (const one of [model, other]) freeModel(one);
  });
}

/** Three rollouts of a model, as a worker would send them. */
async function rolloutsOf(
  model: Model,
  thinking: ReturnType<typeof wayOfThinking>,
  draws: Draws,
): Promise<OthersRollout[]> {
  using scratch = gpu.arena.scratch();
  const rules = thinkingRules(tokenizer, { maxThinking: 9, maxAnswer: 4, endTokenIds: [] });
  const { rollouts, hidden } = await generate(model, tokenizer, {
    ...{ prompts: [PROMPT], group: IDS.length, rolloutIds: IDS, thinking, rules, ...draws },
  }, scratch);
  const rows = new Float32Array(await gpu.reader.read(hidden));
  const each = 9 * model.config.hiddenSize;
  return rollouts.map((rollout, i) => ({
    ...{ prompt: PROMPT, rollout, id: IDS[i] },
    rows: thinking.continuous
      ? rows.slice(i * each, i * each + rollout.thinking.length * model.config.hiddenSize)
      : undefined,
  }));
}
