/**
 * Updates of an adapter: rollout and training agree to the bit on frozen weights of either type, nothing but A and B
 * changes, nothing is held for the rest; and a short run on the embedded task makes the model answer better.
 */
import { assert, assertEquals } from "@std/assert";
import { evaluate } from "../../eval/evaluate.ts";
import { wayOfThinking } from "../../eval/modes.ts";
import { pairedChange } from "../../eval/measures/pass_at_k.ts";
import type { Task } from "../../eval/task.ts";
import { sums } from "../../eval/tasks/sums.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { addAdapter } from "../../model/lora/add_adapter.ts";
import { freeAdapter, scaleOf } from "../../model/transformer/adapter.ts";
import { loraCounts } from "../../model/memory/cache_budget.ts";
import { freeParams } from "../../model/transformer/params.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { createModel, freeModel, type Model } from "../../model/transformer/transformer.ts";
import { localRollouts } from "../../rl/rollout.ts";
import { trainSupervised } from "../../rl/sft.ts";
import { createTrainer, type Trainer, type TrainSettings } from "../../rl/trainer.ts";
import { trainStep } from "../../rl/train_step.ts";
import { assertSameBits, openTestGpu } from "../gpu/support.ts";
import { downloadNamed, embeddingRms, randomModel, uploadNamed } from "./support/named_weights.ts";

const t = await openTestGpu();
const { gpu } = t;

const SETTINGS: TrainSettings = {
  questions: 3,
  group: 4,
  steps: 10,
  seed: 11,
  lr: 1e-2,
  warmup: 0,
  finalLr: 1,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
  clipStep: 0,
  thinkingWeight: 1,
  recompute: false,
  microRows: 150,
};

function trainerOf(
  model: Model,
  tokenizer: Tokenizer,
  kind: "hard" | "soft" | "fuzzy",
  rms: number,
  settings: TrainSettings,
): Trainer {
  const thinking = wayOfThinking(kind, { greedy: false, gamma: 0.33, embeddingRms: rms });
  const endTokenIds = model.config.eosTokenIds;
  const rules = thinkingRules(tokenizer, { maxThinking: 10, maxAnswer: 4, endTokenIds });
  // An untrained model's answers differ in length: half of them count as right.
  const task: Task = {
    ...sums,
    grade: (_gold, text) => {
      const correct = text.length % 2 === 0;
      return { reward: correct ? 100 : 10, correct, answer: text, rule: null };
    },
  };
  const { group, seed } = settings;
  const source = localRollouts({ model, tokenizer, task, thinking, rules, group, seed });
  return createTrainer({ model, tokenizer, task, thinking, rules, settings, source });
}

function freeTrainer(gpu: Gpu, { grads, optimizer }: Trainer): void {
  for (const set of [grads, optimizer.first, optimizer.second]) freeParams(gpu, set);
  gpu.arena.free(optimizer.norm);
}

for (const dtype of ["f32", "f16"] as const) {
  for (const kind of ["hard", "soft", "fuzzy"] as const) {
    const recompute = kind === "soft";
    Deno.test(`${kind} on ${dtype} weights: no mismatch, A and B learn, the weights keep their bits`, async () => {
      const { model: full, tokenizer } = randomModel(gpu);
      const { config } = full;
      const model = createModel(gpu, config, dtype);
      uploadNamed(gpu, config, model.params, await downloadNamed(gpu, config, full.params));
      freeModel(full);
      const rms = await embeddingRms(model);
      const held = gpu.arena.bytes;
      const adapter = addAdapter(model, { rank: 4, alpha: 8 }, 1);
      const trainer = trainerOf(model, tokenizer, kind, rms, { ...SETTINGS, recompute });
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
      freeTrainer(gpu, trainer);
      freeModel(model);
    });
  }
}

Deno.test("the blocks follow B: the update that was made is the one the next rollout feels", async () => {
  const { model, tokenizer } = randomModel(gpu);
  const adapter = addAdapter(model, { rank: 4, alpha: 6 }, 1);
  const trainer = trainerOf(model, tokenizer, "hard", 1, SETTINGS);
  await trainStep(trainer, 1);
  const b = new Float32Array(await gpu.reader.read(adapter.params.lora[1].down.b.chunks[0]));
  const blocks = new Float32Array(await gpu.reader.read(adapter.layers[1].down.blocks.chunks[0]));
  const scale = scaleOf(adapter.settings);
  assertEquals(scale, 1.5);
  assert(b.some((x) => x !== 0));
  assertEquals(blocks, b.map((x) => Math.fround(scale * x)));
  freeTrainer(gpu, trainer);
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
    sums,
    { ...SETTINGS, lr: 2e-3, steps: 12, batch: 16 },
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
  const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
  addAdapter(model, { rank: 16, alpha: 32 }, 0);
  const thinking = wayOfThinking("hard", { greedy: false, gamma: 0.1, embeddingRms });
  const { maxThinking, answerTokens: maxAnswer } = sums.limits;
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds: model.config.eosTokenIds });
  const [questions, group, seed] = [8, 16, 0];
  const parts = { model, tokenizer, task: sums, thinking, rules };
  const trainer = createTrainer({
    ...parts,
    source: localRollouts({ ...parts, group, seed }),
    settings: {
      ...SETTINGS,
      questions,
      group,
      seed,
      lr: 1e-3,
      warmup: 5,
      steps: 60,
      finalLr: 0.1,
      microRows: 8192,
    },
  });
  const solved = async () => {
    const [result] = await evaluate(model, tokenizer, sums, {
      stream: "test",
      seed: 1,
      questions: 256,
      modes: ["hard-greedy"],
      gamma: 0.1,
      embeddingRms,
      samples: 1,
    });
    return result.questions.map(({ correct, samples }) => correct / samples);
  };
  const before = await solved();
  for (let step = 1; step <= 15; step++) await trainStep(trainer, step);
  const change = pairedChange(before, await solved());
  gpu.close();
  const told = `change ${change.value.toFixed(3)} with standard error ${change.standardError.toFixed(3)}`;
  assert(change.value > 3 * change.standardError, told);
});
