/**
 * Updates of an adapter: rollout and training agree to the bit on frozen weights of either type, nothing but A and B
 * changes, nothing is held for the rest; and a short run on the embedded task makes the model answer better.
 */
import { assert, assertEquals } from "@std/assert";
import { wayOfThinking } from "../../model/thinking/ways.ts";
import { sumsSlips } from "../../eval/tasks/sums.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { addAdapter, freeAdapter, scaleOf } from "../../model/transformer/adapter.ts";
import { loraCounts } from "../../model/memory/count_weights.ts";
import { createModel, freeModel, type Model } from "../../model/transformer/transformer.ts";
import { trainSupervised } from "../../rl/train_supervised.ts";
import { trainStep } from "../../rl/train_step.ts";
import type { Trainer } from "../../rl/trainer.ts";
import { assertSameBits, openTestGpu } from "../gpu/support.ts";
import { assertRise, embeddedTrainer, solved } from "./support/embedded_trainer.ts";
import { downloadNamed, uploadNamed } from "./support/named_weights.ts";
import { freeTrainer, SMALL_TRAINING, smallTrainer } from "./support/small_trainer.ts";
import { embeddingRms, tinyModel } from "./support/tiny_model.ts";

const t = await openTestGpu();
const { gpu } = t;

const trainerOf = (
  model: Model,
  kind: "hard" | "soft" | "fuzzy",
  rms: number,
  recompute = false,
): Trainer => {
  const thinking = wayOfThinking(kind, { greedy: false, gamma: 0.33, embeddingRms: rms });
  return smallTrainer(model, thinking, { ...SMALL_TRAINING, recompute });
};

for (const dtype of ["f32", "f16"] as const) {
  for (const kind of ["hard", "soft", "fuzzy"] as const) {
    Deno.test(`${kind} on ${dtype} weights: no mismatch, A and B learn, the weights keep their bits`, async () => {
      const full = tinyModel(gpu);
      const { config } = full;
      const model = createModel(gpu, config, dtype);
      uploadNamed(gpu, config, model.params, await downloadNamed(gpu, config, full.params));
      freeModel(full);
      const rms = await embeddingRms(model);
      const held = gpu.arena.bytes;
      const adapter = addAdapter(model, { rank: 4, alpha: 8 }, 1);
      const trainer = trainerOf(model, kind, rms, kind === "soft");
      const { trained, blocks } = loraCounts(config, 4);
      // Weights, gradients, two moments, B in blocks: each buffer rounded to 16 bytes.
      const matrices = 4 * 2 * 4 * config.layers + 4 * config.layers + 1;
      const extra = gpu.arena.bytes - held - 16 * trained - 4 * blocks;
      assert(extra >= 0 && extra <= 16 * matrices, `${extra} bytes beside those of the adapter`);
      const frozen = await downloadNamed(gpu, config, model.params);
      const start = await downloadNamed(gpu, config, adapter.params);
      for (let step = 1; step <= 4; step++) {
        const { metrics } = await trainStep(trainer, step);
        assert(metrics.gradient_norm > 0 && metrics.equal_groups < 1, "nothing was trained on");
        const { mismatch_thinking_max, mismatch_answer_max, mismatch_near_tie_max, flips } = metrics;
        assertEquals([mismatch_thinking_max, mismatch_answer_max, mismatch_near_tie_max, flips], [
          0,
          0,
          0,
          0,
        ]);
      }
      for (const [name, values] of await downloadNamed(gpu, config, model.params)) {
        assertSameBits(name, values, frozen.get(name)!);
      }
      for (const [name, values] of await downloadNamed(gpu, config, adapter.params)) {
        assert(values.some((x, i) => x !== start.get(name)![i]), `${name} did not change`);
        assert(values.every(Number.isFinite), `${name} is not finite`);
      }
      freeTrainer(trainer);
      freeModel(model);
    });
  }
}

Deno.test("the blocks follow B: the update that was made is the one the next rollout feels", async () => {
  const model = tinyModel(gpu);
  const adapter = addAdapter(model, { rank: 4, alpha: 6 }, 1);
  const trainer = trainerOf(model, "hard", 1);
  await trainStep(trainer, 1);
  const b = new Float32Array(await gpu.reader.read(adapter.params.lora[1].down.b.chunks[0]));
  const blocks = new Float32Array(await gpu.reader.read(adapter.layers[1].down.blocks.chunks[0]));
  const scale = scaleOf(adapter.settings);
  assertEquals(scale, 1.5);
  assert(b.some((x) => x !== 0));
  assertEquals(blocks, b.map((x) => Math.fround(scale * x)));
  freeTrainer(trainer);
  freeModel(model);
});

Deno.test("supervised training lowers the loss by the adapter alone", async () => {
  const { model, tokenizer } = await findModel(gpu, "builtin");
  addAdapter(model, { rank: 8, alpha: 16 }, 1);
  const before = await downloadNamed(gpu, model.config, model.params);
  const losses: number[] = [];
  await trainSupervised(
    model,
    tokenizer,
    sumsSlips,
    { ...SMALL_TRAINING, lr: 2e-3, steps: 12, batch: 16 },
    ({ loss }) => {
      losses.push(loss);
      return true;
    },
  );
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  assert(mean(losses.slice(-3)) < 0.8 * mean(losses.slice(0, 3)), losses.join(" "));
  for (const [name, values] of await downloadNamed(gpu, model.config, model.params)) {
    assertSameBits(name, values, before.get(name)!);
  }
  freeAdapter(gpu, model.adapter!);
  delete model.adapter;
  freeModel(model);
});

Deno.test("15 updates of an adapter with hard thinking raise hard-greedy accuracy on the embedded task", async () => {
  const gpu = await openGpu();
  const found = await findModel(gpu, "builtin");
  addAdapter(found.model, { rank: 16, alpha: 32 }, 0);
  const trainer = embeddedTrainer(found, "hard", 1e-3, 60);
  const before = await solved(found, "hard-greedy");
  for (let step = 1; step <= 15; step++) await trainStep(trainer, step);
  const after = await solved(found, "hard-greedy");
  gpu.close();
  assertRise(before, after);
});
