/** Updates that are diagnosed: what is measured is right, and changes no bit of what is learned. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { addAdapter } from "../../model/transformer/adapter.ts";
import { freeParams } from "../../model/transformer/params.ts";
import { freeModel, type Model } from "../../model/transformer/transformer.ts";
import { type Way, wayOfThinking } from "../../model/thinking/ways.ts";
import { trainStep } from "../../rl/train_step.ts";
import { diagnosisOf, type Trainer, type TrainSettings } from "../../rl/trainer.ts";
import type { StepMetrics } from "../../rl/step_metrics.ts";
import { assertSameBits, openTestGpu } from "../gpu/support.ts";
import { downloadNamed } from "./support/named_weights.ts";
import { freeTrainer, SMALL_TRAINING, smallTrainer } from "./support/small_trainer.ts";
import { embeddingRms, tinyModel } from "./support/tiny_model.ts";

const t = await openTestGpu();
const { gpu } = t;

/** What some updates leave: their metrics, what they trained, and the last gradients, name by name. */
interface Trained {
  metrics: StepMetrics[];
  weights: Map<string, Float32Array>;
  gradients: Map<string, Float32Array>[];
}

async function train(
  way: Way,
  changes: Partial<TrainSettings>,
  { lora = false, steps = 4 } = {},
): Promise<Trained> {
  const [model, base]: Model[] = [tinyModel(gpu), tinyModel(gpu)];
  if (lora) addAdapter(model, { rank: 4, alpha: 8 }, 1);
  const thinking = wayOfThinking(way, { greedy: false, gamma: 0.33, embeddingRms: await embeddingRms(base) });
  const { diagnoseEvery, ...settings } = { ...SMALL_TRAINING, ...changes };
  const plain = smallTrainer(model, thinking, settings);
  const diagnosis = diagnoseEvery ? diagnosisOf(model, base) : undefined;
  const trainer: Trainer = { ...plain, settings: { ...settings, diagnoseEvery }, diagnosis };
  const metrics: StepMetrics[] = [];
  const gradients: Map<string, Float32Array>[] = [];
  for (let step = 1; step <= steps; step++) {
    metrics.push((await trainStep(trainer, step)).metrics);
    gradients.push(await downloadNamed(gpu, model.config, trainer.grads));
  }
  const weights = await downloadNamed(gpu, model.config, model.adapter?.params ?? model.params);
  freeTrainer(trainer);
  if (diagnosis) freeParams(gpu, diagnosis.spare);
  for (const each of [model, base]) freeModel(each);
  return { metrics, weights, gradients };
}

function dot(a: Map<string, Float32Array>, b: Map<string, Float32Array>): number {
  let sum = 0;
  for (const [name, values] of a) values.forEach((value, i) => sum += value * b.get(name)![i]);
  return sum;
}

for (
  const [way, lora] of [
    ...[["hard", false], ["soft", false], ["multiplex", false]] as const,
    ...[["hard", true], ["soft", true]] as const,
  ]
) {
  Deno.test(`${way}${lora ? " with an adapter" : ""}: diagnosing changes no bit, and measures what the gradients say`, async () => {
    const plain = await train(way, {}, { lora });
    const { metrics, weights, gradients } = await train(way, { diagnoseEvery: 2 }, { lora });
    for (const [name, values] of weights) assertSameBits(name, values, plain.weights.get(name)!);
    metrics.forEach((line, i) => {
      const { time: _, kl_thinking, kl_answer, gradient_cosine, ...rest } = line;
      const { gradient_norm_thinking: ofThinking, gradient_norm_answer: ofAnswer, ...own } = rest;
      const { time: __, ...expected } = plain.metrics[i];
      assertEquals(own, expected);
      if (i === 2) return assertEquals([kl_answer, gradient_cosine, ofThinking], Array(3).fill(undefined));
      assert(line.time.diagnosis! > 0 && line.time.update > 0);
      if (i === 0) assertEquals([kl_thinking, kl_answer, gradient_cosine], [0, 0, null]);
      else {
        assert(kl_thinking! > 0 && kl_answer! > 0, `${kl_thinking}, ${kl_answer}`);
        const [last, now] = gradients.slice(i - 1, i + 1);
        const cosine = dot(last, now) / Math.sqrt(dot(last, last) * dot(now, now));
        assertAlmostEquals(gradient_cosine!, cosine, 1e-5);
      }
      assert(ofThinking! > 0 && ofAnswer! > 0 && ofThinking! + ofAnswer! >= own.gradient_norm);
    });
  });
}

Deno.test("a thinking term without weight has no gradient: all of it is the answer's", async () => {
  const { metrics } = await train("soft", { diagnoseEvery: 1, thinkingWeight: 0 });
  for (const { gradient_norm, gradient_norm_thinking, gradient_norm_answer } of metrics) {
    assertEquals(gradient_norm_thinking, 0);
    assertAlmostEquals(gradient_norm_answer!, gradient_norm, 1e-5 * gradient_norm);
  }
});

Deno.test("the thinking's norm grows with its weight, the answer's stays", async () => {
  const at = async (thinkingWeight: number) =>
    (await train("hard", { diagnoseEvery: 1, thinkingWeight }, { steps: 1 })).metrics[0];
  const [one, three] = [await at(1), await at(3)];
  assertAlmostEquals(
    three.gradient_norm_thinking!,
    3 * one.gradient_norm_thinking!,
    1e-5 * one.gradient_norm,
  );
  assertAlmostEquals(three.gradient_norm_answer!, one.gradient_norm_answer!, 1e-4 * one.gradient_norm);
});
