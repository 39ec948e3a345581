/** A reference toy on the device: one batch of its rollouts, and the gradient that the program makes of them. */
import { assertEquals } from "@std/assert";
import { Domain } from "../../../gpu/random.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { generate } from "../../../model/generation/generate.ts";
import type { ThinkingRules } from "../../../model/generation/thinking_text.ts";
import { gaussianThinking } from "../../../model/thinking/gaussian.ts";
import { hardThinking } from "../../../model/thinking/hard.ts";
import type { Thinking } from "../../../model/thinking/thinking.ts";
import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { createParams, freeParams, type Trainable, zeroParams } from "../../../model/transformer/params.ts";
import { createModel, freeModel, type Model } from "../../../model/transformer/transformer.ts";
import { leaveOneOut } from "../../../rl/advantage.ts";
import { accumulateGradient } from "../../../rl/objective.ts";
import type { RecordedRollout } from "../../reference/policy_loss.ts";
import { noiseRow } from "../../reference/random.ts";
import type { Toy, ToyProblem } from "../../reference/toy.ts";
import type { Weights } from "../../reference/transformer.ts";
import { downloadNamed, uploadNamed } from "./named_weights.ts";

/** Rollouts of a batch, numbered from 0. */
export const GROUP = 128;
/** Of all draws. */
export const SEED = 5;

/** Tokens without a text: nothing triggers, nothing closes a brace, so every rollout has the toy's length. */
const SILENT: Tokenizer = {
  encode: () => [],
  decode: () => "",
  tokenText: () => "",
  tokenBytes: () => new Uint8Array(0),
  idOf: () => undefined,
  specialTokens: [],
  size: 5,
  files: { "tokenizer.json": "" },
};

/** A toy's model on the device, with room for its gradient. */
export interface DeviceToy<T extends ToyProblem> {
  toy: T;
  model: Model;
  grads: Trainable;
}

/** Puts a toy on a device for the length of a test. */
export async function withToy<T extends ToyProblem>(toy: T, test: (on: DeviceToy<T>) => Promise<void>) {
  const gpu = await openGpu();
  const model = createModel(gpu, toy.config);
  uploadNamed(gpu, toy.config, model.params, toy.weights);
  const grads = createParams(gpu, toy.config, "f32", "gradient");
  await test({ toy, model, grads });
  freeParams(gpu, grads);
  freeModel(model);
  gpu.close();
}

/**
 * One batch through the device: its gradient is in `grads` afterwards. `thoughts` [rollouts, steps, d] are the rows that were fed, if any.
 * @param moved the weights that the model has when the gradient is taken, where the rollouts count as those of older ones
 */
export async function estimateOnDevice(
  { toy, model, grads }: DeviceToy<ToyProblem>,
  thinking: Thinking,
  step: number,
  entropyBonus = 0,
  moved?: Weights,
) {
  const { gpu } = model;
  const { steps, prompt, forced } = toy;
  const rules: ThinkingRules = {
    maxThinking: steps,
    maxAnswer: 1,
    endTokenIds: [],
    forcedIds: { box: forced, boxAfterSpace: forced, triggerAndBox: forced },
  };
  using scratch = gpu.arena.scratch();
  const { rollouts, hidden } = await generate(model, SILENT, {
    prompts: [prompt],
    group: GROUP,
    thinking,
    rules,
    answerTau: 1,
    rolloutIds: Array.from({ length: GROUP }, (_, g) => g),
    seed: SEED,
    step,
  }, scratch);
  const advantages = leaveOneOut(rollouts.map(({ answer }) => toy.rewards[answer[0]] / 100));
  zeroParams(gpu, grads);
  if (moved) uploadNamed(gpu, toy.config, model.params, moved);
  const scored = rollouts.map(({ index, thinking, forced, answer, thinkingStats, answerStats }, i) => {
    assertEquals([thinking.length, forced, answer.length], [steps, toy.forced, 1]);
    const drawn = { thinking: thinkingStats.logp, answer: answerStats.logp };
    return { id: index, index, thinking, forced, answer, advantage: advantages[i], drawn };
  });
  const fetch = accumulateGradient(model, grads, [{ prompt, rollouts: scored }], {
    thinking,
    hidden,
    scale: 1 / GROUP,
    seed: SEED,
    step,
    clipStep: 0,
    thinkingWeight: 1,
    entropyBonus,
    recompute: false,
    older: moved !== undefined,
  });
  const thoughts = thinking.continuous ? new Float32Array(await gpu.reader.read(hidden)) : undefined;
  return { scored, thoughts, record: await fetch(), gradients: await downloadNamed(gpu, toy.config, grads) };
}

/** A toy's way of thinking. */
export const thinkingOf = ({ mode, tau, sigma }: Toy): Thinking =>
  mode === "hard" ? hardThinking(tau) : gaussianThinking(mode, tau, sigma);

/** The batch as the reference's loss takes it, the noise drawn again in f64. */
export function recorded(
  toy: Toy,
  step: number,
  batch: Awaited<ReturnType<typeof estimateOnDevice>>,
): RecordedRollout[] {
  const d = toy.config.hiddenSize;
  const noise = (rollout: number) => {
    const rows = Array.from({ length: toy.steps }, (_, t) => {
      const position = toy.prompt.length + t;
      return [...noiseRow({ seed: SEED, domain: Domain.noise, position, rollout, step }, d)];
    });
    return Float64Array.from(rows.flat());
  };
  return batch.scored.map(({ id, index, thinking, forced, answer, advantage, drawn }) => ({
    question: 0,
    prompt: toy.prompt,
    thinking: [...thinking],
    forced: [...forced],
    answer: [...answer],
    advantage,
    drawn: { thinking: [...drawn.thinking], answer: [...drawn.answer] },
    ...(batch.thoughts && {
      noise: noise(id),
      thoughts: Float64Array.from(
        batch.thoughts.subarray(index * toy.steps * d, (index + 1) * toy.steps * d),
      ),
    }),
  }));
}
