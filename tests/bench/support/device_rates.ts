import { generate } from "../../../model/generation/generate.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { wayOfThinking } from "../../../model/thinking/ways.ts";
import { mixesVocabulary } from "../../../model/thinking/thinking.ts";
import type { FoundModel } from "../../../model/files/find_model.ts";
import { copyAll } from "../../../gpu/device/peaks.ts";
import { countOf, wholeOf } from "../../../rl/cluster/buckets.ts";
import { freeParams, matricesOf } from "../../../model/transformer/params.ts";
import { createLike } from "../../../rl/optimizer.ts";
import {
  bytesOfStep,
  questionWork,
  type ScaledTraining,
  stepsOf,
  trainedCount,
} from "../../../rl/scaling/question_work.ts";
import type { Rates } from "../../../rl/scaling/rates.ts";
import { dispatchesOf, optimizerSeconds } from "../../../rl/scaling/update_seconds.ts";
import { madeUpGroups, repeatedUpdate } from "../../../cli/bench/repeated_update.ts";
import { sumsPrompts } from "../../../cli/bench/sums_prompts.ts";
import { sumAlone } from "./sum_alone.ts";

/** Fewest rollouts, and most, between which the cost of one more is taken. */
const ROLLOUTS = [4, 64];
const GROUP = 4;
const COPIES = 16;
const [THINKING, ANSWER] = [24, 4];

type DeviceRates = Pick<Rates, "update" | "rollout" | "memory" | "dispatch" | "copy">;

/** The least of so many repetitions' seconds, after one that does not count: what else a machine does only adds to them. */
export async function bestSeconds(repeats: number, work: () => unknown): Promise<number> {
  await work();
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const began = performance.now();
    await work();
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  return best;
}

/** Measures a device by a model: steps of few rollouts and of many, an update, copies. */
export async function deviceRates(found: FoundModel, repeats: number): Promise<DeviceRates> {
  const { model, tokenizer, embeddingRms } = found;
  const { gpu, config } = model;
  const thinking = wayOfThinking("soft", { greedy: false, gamma: 0.33, embeddingRms });
  const rules = thinkingRules(tokenizer, { maxThinking: THINKING, maxAnswer: ANSWER, endTokenIds: [] });
  const training = (prompt: number, forced: number, answer: number): ScaledTraining => ({
    ...{ config, group: GROUP, prompt, thinking: THINKING, forced, answer, weightBytes: 4, recompute: false },
    ...{ mixes: mixesVocabulary(thinking), continuous: true },
  });

  // As many bytes as the model's weights, which may lie in caches as these do.
  const count = Math.ceil(trainedCount({ config }) / 64) * 64;
  const [x, y] = ["x", "y"].map((name) => gpu.arena.create([count], "f32", name));
  const probe = { ...y, shape: [4] };
  let copied = 0;
  const copySeconds = await bestSeconds(repeats, async () => {
    copied = 0;
    for (let i = 0; i < COPIES; i++) copied += copyAll(gpu, x, y);
    await gpu.reader.read(probe);
  });
  const memory = copied / copySeconds;

  const gradients = gpu.arena.lendable(() => createLike(model, "gradient"));
  const tensors = matricesOf(gradients).flatMap(({ chunks }) => chunks);
  const bytes = 4 * countOf(wholeOf(tensors));
  const learners = sumAlone(2);
  const thereAndBack = await bestSeconds(repeats, async () => {
    await learners.sum(gpu, tensors);
    await gpu.reader.read({ ...tensors[0], shape: [1] });
  });
  freeParams(gpu, gradients);

  const prompts = sumsPrompts(tokenizer, ROLLOUTS[1] / GROUP);
  const mean = prompts.reduce((sum, { length }) => sum + length, 0) / prompts.length;
  const generation = training(Math.round(mean), rules.forcedIds.triggerAndBox.length, ANSWER);
  const seconds: number[] = [];
  for (const count of ROLLOUTS) {
    seconds.push(
      await bestSeconds(repeats, async () => {
        using scratch = gpu.arena.scratch();
        await generate(model, tokenizer, {
          ...{ prompts: prompts.slice(0, count / GROUP), group: GROUP, thinking, rules, answerTau: 1 },
          ...{ seed: 0, step: 1, rolloutIds: Uint32Array.from({ length: count }, (_, i) => i) },
        }, scratch);
      }),
    );
  }
  const each = (seconds[1] - seconds[0]) / (ROLLOUTS[1] - ROLLOUTS[0]);
  const step = (seconds[0] - ROLLOUTS[0] * each) / stepsOf(generation);
  const work = questionWork(generation);
  if (!(each > 0)) throw new Error(`Cannot tell what a rollout costs: ${ROLLOUTS} take ${seconds} s`);
  const cached = work.kvBytes / GROUP / memory;
  // Keys and values may come from there too, quicker than long copies say.
  const left = cached < each ? each - cached : each;
  // On a software device weights come from the processor's caches.
  const dispatch = Math.max(1e-7, (step - bytesOfStep(generation) / memory) / dispatchesOf(generation));

  const rollouts = ROLLOUTS[1];
  const hidden = gpu.arena.create([rollouts, THINKING, config.hiddenSize], "f32", "hidden");
  const groups = madeUpGroups(prompts, GROUP, () => THINKING, config.usedVocabSize);
  const update = repeatedUpdate(model, groups, thinking, hidden);
  const updated = await bestSeconds(repeats, () => update.record()());
  const passes = training(Math.round(mean), 1, 3);
  const flops = prompts.length * questionWork(passes).updateFlops;
  return {
    update: flops / (updated - optimizerSeconds(trainedCount(passes), 1, { memory } as Rates)),
    rollout: work.rolloutFlops / GROUP / left,
    ...{ memory, dispatch, copy: 2 * bytes / thereAndBack },
  };
}
