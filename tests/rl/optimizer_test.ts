import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { createParams, freeParams, zeroParams } from "../../model/transformer/params.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { createOptimizer, learningRate, type OptimizerSettings, optimizerStep } from "../../rl/optimizer.ts";
import { openTestGpu, random32 } from "../gpu/support.ts";
import { adamWStep, clipByGlobalNorm } from "../reference/adamw.ts";
import { downloadNamed, gradientError, uploadNamed } from "./support/named_weights.ts";
import { tinyModel } from "./support/tiny_model.ts";

const t = await openTestGpu();
const SETTINGS: OptimizerSettings = {
  lr: 8e-3,
  warmup: 20,
  steps: 120,
  finalLr: 0.1,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0.1,
  clip: 1,
};

Deno.test("the rate rises linearly over the warm-up, and its peak is the rate asked for", () => {
  for (let step = 1; step <= 20; step++) {
    assertAlmostEquals(learningRate(SETTINGS, step), 8e-3 * step / 20, 1e-15);
  }
  const rates = Array.from({ length: 120 }, (_, i) => learningRate(SETTINGS, i + 1));
  assertEquals(Math.max(...rates), 8e-3);
  rates.slice(20).reduce((before, rate) => (assert(rate < before), rate), 8e-3);
});

Deno.test("then it follows half a cosine down to its floor, and stays there", () => {
  assertAlmostEquals(learningRate(SETTINGS, 70), 8e-3 * 0.55, 1e-15);
  assertAlmostEquals(learningRate(SETTINGS, 45), 8e-3 * (0.1 + 0.9 * (1 + Math.SQRT1_2) / 2), 1e-15);
  assertAlmostEquals(learningRate(SETTINGS, 120), 8e-4, 1e-15);
  assertAlmostEquals(learningRate(SETTINGS, 500), 8e-4, 1e-15);
  assertAlmostEquals(learningRate({ ...SETTINGS, finalLr: 0 }, 120), 0, 1e-15);
});

Deno.test("no warm-up, a constant rate, and runs no longer than their warm-up", () => {
  assert(learningRate({ ...SETTINGS, warmup: 0 }, 1) > 7.99e-3);
  for (const step of [21, 60, 120]) {
    assertAlmostEquals(learningRate({ ...SETTINGS, finalLr: 1 }, step), 8e-3, 1e-15);
  }
  for (const steps of [1, 20]) {
    for (let step = 1; step <= steps; step++) {
      const rate = learningRate({ ...SETTINGS, steps }, step);
      assertAlmostEquals(rate, 8e-3 * step / 20, 1e-15);
    }
  }
  assertEquals(learningRate({ ...SETTINGS, steps: 1, warmup: 0, finalLr: 1 }, 1), 8e-3);
});

for (const tied of [true, false]) {
  for (
    const { name, clip, scale } of [
      { name: "below the clip", clip: 5, scale: 1e-3 },
      { name: "above the clip", clip: 0.5, scale: 1 },
      { name: "without a clip", clip: 0, scale: 10 },
    ]
  ) {
    Deno.test(`all weights follow AdamW, ${tied ? "tied" : "untied"}, ${name}`, async () => {
      const { gpu } = t;
      const model = tinyModel(gpu, { tied });
      const { config, params } = model;
      const grads = createParams(gpu, config, "f32", "gradient");
      const optimizer = createOptimizer(gpu, config);
      const settings = { ...SETTINGS, clip, warmup: 2, steps: 4 };
      const inF64 = (named: Map<string, ArrayLike<number>>) =>
        new Map([...named].map(([key, values]) => [key, Float64Array.from(values)]));
      const weights = inF64(await downloadNamed(gpu, config, params));
      const [first, second] = [0, 1].map(() =>
        new Map([...weights].map(([key, values]) => [key, new Float64Array(values.length)]))
      );
      for (let step = 1; step <= 4; step++) {
        const gradients = new Map(
          [...weights].map(([key, values], i) => [key, random32(100 * step + i, values.length, scale)]),
        );
        uploadNamed(gpu, config, grads, gradients);
        optimizerStep(gpu, params, grads, optimizer, settings, step);
        const norm = clipByGlobalNorm(gradients.values(), clip || Infinity);
        assertAlmostEquals(new Float32Array(await gpu.reader.read(optimizer.norm))[0] / norm, 1, 1e-6);
        for (const [key, values] of weights) {
          adamWStep(values, gradients.get(key)!, first.get(key)!, second.get(key)!, {
            ...settings,
            learningRate: learningRate(settings, step),
            step,
          });
        }
      }
      assert(gradientError(await downloadNamed(gpu, config, params), weights) < 1e-12);
      assert(gradientError(await downloadNamed(gpu, config, optimizer.first), first) < 1e-11);
      assert(gradientError(await downloadNamed(gpu, config, optimizer.second), second) < 1e-11);
      for (const set of [grads, optimizer.first, optimizer.second]) freeParams(gpu, set);
      gpu.arena.free(optimizer.norm);
      freeModel(model);
    });
  }
}

Deno.test("a step without any gradient leaves the weights as they are", async () => {
  const { gpu } = t;
  const model = tinyModel(gpu);
  const { config, params } = model;
  const before = await downloadNamed(gpu, config, params);
  const grads = createParams(gpu, config, "f32", "gradient");
  zeroParams(gpu, grads);
  const optimizer = createOptimizer(gpu, config);
  optimizerStep(gpu, params, grads, optimizer, { ...SETTINGS, weightDecay: 0 }, 1);
  assertEquals(new Float32Array(await gpu.reader.read(optimizer.norm))[0], 0);
  assertEquals(await downloadNamed(gpu, config, params), before);
  for (const set of [grads, optimizer.first, optimizer.second]) freeParams(gpu, set);
  gpu.arena.free(optimizer.norm);
  freeModel(model);
});
