/**
 * Forecast of memory beside what is then used: a few training steps (weights and arena at their peak) of each case, every
 * rollout as long as it may be, and generation alone. Nothing is reserved here, as `softcot train` does: what is counted are the
 * buffers that the steps themselves ask for. Forecasts are those of `softcot model info` and of the refusal of
 * `softcot train`. Counting needs no quiet machine.
 *
 *     deno run -A tests/bench/memory_bench.ts [--models builtin,FOLDER] [--steps 2] [--json]
 */
import { parseArgs } from "node:util";
import { wayOfThinking } from "../../model/thinking/ways.ts";
import { sumsPrompts } from "../../cli/bench/sums_prompts.ts";
import { table } from "../../cli/terminal/table.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel, type FoundModel } from "../../model/files/find_model.ts";
import { generateJobs } from "../../model/generation/generate_jobs.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { dryThinking, generationNeed } from "../../model/memory/generation_memory.ts";
import { addAdapter } from "../../model/transformer/adapter.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { planWeights } from "../../model/weights/weight_types.ts";
import { trainStep } from "../../rl/train_step.ts";
import { trainingNeed } from "../../rl/memory/training_need.ts";
import { mute } from "../model/support/mute.ts";
import { longestTrainer } from "../rl/support/longest_trainer.ts";

const { values } = parseArgs({
  options: {
    models: { type: "string", default: "builtin,../shared/models/smollm2-135m-instruct" },
    steps: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
  },
});
const RANK = 16;

/** What a case was forecast to hold, and held, in bytes. */
interface Outcome {
  what: string;
  forecast: number;
  actual: number;
}

/** Sizes of a model's cases: those that a training of it has here, smaller for the larger one. */
const sizesOf = (model: string) =>
  model === "builtin"
    ? { questions: 8, group: 16, maxThinking: 52, answerTokens: 5, microRows: 1024 }
    : { questions: 2, group: 8, maxThinking: 20, answerTokens: 4, microRows: 160 };

/** Lengths of as many prompts. */
function promptTokens(tokenizer: Tokenizer, count: number) {
  const lengths = sumsPrompts(tokenizer, count).map(({ length }) => length);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / count;
  return { promptTokens: Math.max(...lengths), meanPromptTokens: mean };
}

/** Opens a device and a model, does the work, and says what the device held at its peak. */
async function peakOf(
  model: string,
  weights: "f32" | "exact",
  work: (found: FoundModel, gpu: Gpu) => Promise<void>,
): Promise<number> {
  const gpu = await openGpu();
  try {
    await work(await findModel(gpu, model, { weights }), gpu);
    return gpu.arena.peakBytes;
  } finally {
    gpu.close();
  }
}

interface TrainingCase {
  lora: boolean;
  continuous: boolean;
  several: boolean;
  recompute: boolean;
}

async function train(name: string, { lora, continuous, several, recompute }: TrainingCase): Promise<Outcome> {
  const { microRows: few, ...sizes } = sizesOf(name);
  const { questions, maxThinking, answerTokens } = sizes;
  const microRows = several ? few : 8192;
  const kind = continuous ? "soft" : "hard";
  const actual = await peakOf(name, lora ? "exact" : "f32", async (found) => {
    if (lora) addAdapter(found.model, { rank: RANK, alpha: 32 }, 0);
    const trainer = longestTrainer(found, { kind, ...sizes, microRows, recompute }, found.embeddingRms);
    for (let step = 1; step <= Number(values.steps); step++) await trainStep(trainer, step);
  });
  using files = openModelFiles(name);
  const { config, tokenizer } = files;
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer: answerTokens, endTokenIds: [] });
  const need = await trainingNeed(config, {
    ...sizes,
    ...{ thinking: dryThinking(kind), recompute, microRows, rank: lora ? RANK : undefined },
    ...promptTokens(tokenizer, questions),
    forcedTokens: rules.forcedIds.triggerAndBox.length,
    types: planWeights(config, files.weights, lora ? "exact" : "f32", name).types,
  }, await here());
  const what = [
    name.split("/").at(-1),
    lora ? "LoRA" : "full",
    kind,
    several ? `micro-batches of ${few}` : "one micro-batch",
    recompute ? "recompute" : "all kept",
  ];
  return { what: what.join(", "), forecast: need.total, actual };
}

async function evaluate(name: string, continuous: boolean, prompts: number): Promise<Outcome> {
  const { maxThinking, answerTokens } = sizesOf(name);
  const atOnce = 256;
  const lengths = { maxThinking, maxAnswer: answerTokens, endTokenIds: [] };
  const actual = await peakOf(name, "exact", async ({ model, tokenizer }) => {
    const jobs = sumsPrompts(tokenizer, prompts).map((prompt, b) => ({ prompt, rolloutIds: [b] }));
    const thinking = wayOfThinking(continuous ? "soft" : "hard", { greedy: true, gamma: 0, embeddingRms: 1 });
    const rules = thinkingRules(tokenizer, lengths);
    const settings = { thinking, rules, answerTau: 0, seed: 0, step: 0, atOnce };
    await generateJobs(model, mute(tokenizer), jobs, settings, { onRollout() {} });
  });
  using files = openModelFiles(name);
  const { config, tokenizer } = files;
  const need = await generationNeed(
    config,
    {
      ...{
        prompts,
        group: 1,
        maxThinking,
        answerTokens,
        thinking: dryThinking(continuous ? "soft" : "hard"),
        atOnce,
      },
      ...promptTokens(tokenizer, prompts),
      forcedTokens: thinkingRules(tokenizer, lengths).forcedIds.triggerAndBox.length,
    },
    planWeights(config, files.weights, "exact", name).types,
    await here(),
  );
  const what = `${name.split("/").at(-1)}, generating ${prompts}, ${continuous ? "soft" : "hard"}`;
  return { what, forecast: need.total, actual };
}

let device: { facts: Gpu; free?: number } | undefined;
/** This machine's device, for forecasts. */
async function here(): Promise<{ facts: Gpu; free?: number }> {
  if (device) return device;
  const facts = await openGpu();
  return device = { facts, free: deviceMemory(facts.adapter)?.free };
}

const outcomes: Outcome[] = [];
const note = (outcome: Outcome) => {
  outcomes.push(outcome);
  console.error(`${outcome.what}: ${(outcome.forecast / outcome.actual).toFixed(3)}`);
};
const either = [false, true];
for (const model of values.models.split(",")) {
  for (const continuous of either) note(await evaluate(model, continuous, model === "builtin" ? 600 : 24));
  for (const lora of either) {
    for (const continuous of either) {
      for (const several of either) {
        for (const recompute of either) note(await train(model, { lora, continuous, several, recompute }));
      }
    }
  }
}
const ratios = outcomes.map(({ forecast, actual }) => forecast / actual);
if (values.json) console.log(JSON.stringify({ device: device!.facts.adapter.name, outcomes }));
else {
  const inMiB = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  console.log(`device: ${device!.facts.adapter.name}; ${values.steps} steps each`);
  console.log(table(
    outcomes.map((
      { what, forecast, actual },
      i,
    ) => [what, inMiB(forecast), inMiB(actual), ratios[i].toFixed(3)]),
    { header: ["case", "forecast MiB", "held MiB", "forecast / held"] },
  ));
  console.log(`least ${Math.min(...ratios).toFixed(3)}, most ${Math.max(...ratios).toFixed(3)}`);
}
device!.facts.close();
