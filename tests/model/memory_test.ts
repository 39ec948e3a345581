import { assert } from "@std/assert";
import { wayOfThinking } from "../../eval/modes.ts";
import { openGpu } from "../../gpu/device.ts";
import { generate } from "../../model/generation/generate.ts";
import { addAdapter, createLoraParams } from "../../model/lora/lora.ts";
import { generationBytes, loraTrainingBytes, rolloutsThatFit, trainingBytes } from "../../model/memory.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { createParams } from "../../model/params.ts";
import { accumulateGradient } from "../../rl/objective.ts";
import type { ScoredGroup } from "../../rl/packed_batch.ts";
import { createOptimizer } from "../../rl/optimizer.ts";
import { randomModel, SMALL, tokenizer } from "./small_models.ts";

// Large enough that the weights and the smallest buffers do not hide what is estimated.
const SHAPE = { ...SMALL, layers: 4, hiddenSize: 128, heads: 8, kvHeads: 4, intermediateSize: 352 };
const PROMPT = tokenizer.encode(
  "User: Mia has 3 cards. Mia buys 4 more. How many cards does Mia have? Assistant:",
);

/** The estimate may be off by the sizes that buffers are rounded to, a quarter, and by small scratch. */
function near(what: string, estimate: number, actual: number) {
  const ratio = estimate / actual;
  assert(
    ratio > 0.75 && ratio < 1.35,
    `${what}: ${estimate} bytes estimated, ${actual} held, ratio ${ratio}`,
  );
}

for (const [recompute, rank] of [[false, 0], [true, 0], [false, 16], [true, 16]] as const) {
  Deno.test(`training holds what memory.ts says, recompute ${recompute}, LoRA rank ${rank || "none"}`, async () => {
    const gpu = await openGpu();
    const model = randomModel(gpu, SHAPE);
    const adapter = rank ? addAdapter(model, { rank, alpha: 32 }, 0) : undefined;
    const grads = adapter
      ? createLoraParams(gpu, SHAPE, rank, "gradient")
      : createParams(gpu, SHAPE, "f32", "gradient");
    createOptimizer(gpu, SHAPE, adapter);
    const [group, thoughts, count] = [16, 60, 4];
    const hidden = gpu.arena.create([count * group, thoughts, SHAPE.hiddenSize], "f32", "hidden");
    const answer = tokenizer.encode(" 12");
    const groups = Array.from({ length: count }, (_, b): ScoredGroup => ({
      prompt: PROMPT,
      rollouts: Array.from({ length: group }, (_, g) => ({
        id: b * group + g,
        slot: b * group + g,
        thinking: Array(thoughts).fill(20),
        forced: tokenizer.encode(" \\boxed{"),
        answer,
        advantage: g % 2 ? 1 : -1,
      })),
    }));
    await accumulateGradient(model, grads, groups, {
      thinking: wayOfThinking("soft", { greedy: false, gamma: 0.1, embeddingRms: 0.1 }),
      hidden,
      scale: 1 / (count * group),
      seed: 0,
      step: 1,
      clipStep: 0,
      thinkingWeight: 1,
      recompute,
    })();
    const rows = count * (PROMPT.length + group * (thoughts + 1 + answer.length - 1));
    const actual = gpu.arena.peakBytes - hidden.storage.bytes;
    const estimate = rank
      ? loraTrainingBytes(SHAPE, rows, recompute, rank)
      : trainingBytes(SHAPE, rows, recompute);
    near("training", estimate, actual);
    gpu.close();
  });
}

Deno.test("generation holds what memory.ts says, and as many rollouts as fit do", async () => {
  const maxBinding = 2 ** 20;
  const gpu = await openGpu({ maxBinding });
  const model = randomModel(gpu, SHAPE);
  const rules = thinkingRules(tokenizer, { maxThinking: 100, maxAnswer: 4, endTokenIds: [] });
  const shape = { prompt: PROMPT.length, group: 1, own: 109, continuous: true };
  const fitting = rolloutsThatFit(gpu, SHAPE, shape);
  assert(fitting > 10 && fitting < 100, `${fitting} rollouts`);
  using scratch = gpu.arena.scratch();
  // More would not: a cache of 2 MiB cannot be bound here.
  await generate(model, tokenizer, {
    prompts: Array(fitting).fill(PROMPT),
    group: 1,
    thinking: wayOfThinking("soft", { greedy: true, gamma: 0, embeddingRms: 1 }),
    rules,
    answerTau: 0,
    rolloutIds: Array.from({ length: fitting }, (_, i) => i),
    seed: 0,
    step: 0,
  }, scratch);
  near("generation", generationBytes(SHAPE, fitting, shape), gpu.arena.peakBytes);
  gpu.close();
});
