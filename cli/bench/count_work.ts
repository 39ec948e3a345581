import type { DeviceFacts } from "../../gpu/device/cards.ts";
import type { WorkCount } from "../../gpu/device/dry_commands.ts";
import { type DryGpu, openDryGpu } from "../../gpu/device/dry_gpu.ts";
import { generate } from "../../model/generation/generate.ts";
import { budgetCache } from "../../model/memory/cache_budget.ts";
import { DRY_TOKENIZER, dryRules, dryThinking } from "../../model/memory/generation_memory.ts";
import { createAdapter } from "../../model/transformer/adapter.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import type { WeightTypes } from "../../model/transformer/params.ts";
import { createEmptyModel } from "../../model/transformer/transformer.ts";
import { madeUpGroups, repeatedUpdate } from "./repeated_update.ts";

/** What a device is given for one piece of work; copies are those and fillings. */
export interface CountedWork extends WorkCount {
  /** What it is done for. */
  name: string;
  /** Dispatches and barriers that a layer more takes. */
  layer: { dispatches: number; barriers: number };
}

const BATCHES = [1, 8, 64];
const RANK = 16;
// A text that has more than one split of keys on a GPU, where the model's context allows it.
const PROMPT = 384;
// Counted between a text of so many tokens and one of twice as many: what begins and ends a text falls out.
const TOKENS = 16;
const [QUESTIONS, GROUP] = [2, 16];

/**
 * Counts what decoding a token takes of a device, and what an update takes: the work itself, run dry, once as it is and once with
 * twice the layers.
 * @param types of the weights that tokens are decoded with
 */
export async function countWork(
  facts: DeviceFacts,
  config: ModelConfig,
  types: WeightTypes = "f32",
): Promise<CountedWork[]> {
  const larger = { ...config, layers: 2 * config.layers };
  const allTypes: WeightTypes = typeof types !== "function"
    ? types
    : (matrix, layer) => types(matrix, Math.min(layer, config.layers - 1));
  const counted: CountedWork[] = [];
  const add = async (name: string, count: (config: ModelConfig) => Promise<WorkCount>) => {
    const whole = await count(config);
    const { dispatches, barriers } = between(whole, await count(larger), config.layers);
    counted.push({ name, ...whole, layer: { dispatches, barriers } });
  };
  for (const way of ["hard", "soft"] as const) {
    for (const batch of way === "hard" ? BATCHES : BATCHES.slice(0, 1)) {
      const name = `a token of ${way} thinking, batch ${batch}`;
      await add(name, (config) => countToken(facts, config, allTypes, way, batch));
    }
  }
  const adapted = `a token of hard thinking, batch 1, an adapter of rank ${RANK}`;
  await add(adapted, (config) => countToken(facts, config, allTypes, "hard", 1, RANK));
  await add(`an update on ${QUESTIONS * GROUP} soft rollouts`, (config) => countUpdate(facts, config));
  return counted;
}

/** What came between two counts, in equal parts. */
function between(first: WorkCount, last: WorkCount, parts: number): WorkCount {
  const part = (of: (count: WorkCount) => number | undefined) => ((of(last) ?? 0) - (of(first) ?? 0)) / parts;
  const labels = Object.keys(last.kernels).map((label) =>
    [label, part(({ kernels }) => kernels[label])] as const
  );
  return {
    dispatches: part(({ dispatches }) => dispatches),
    barriers: part(({ barriers }) => barriers),
    copies: part(({ copies }) => copies),
    kernels: Object.fromEntries(labels.filter(([, count]) => count !== 0)),
  };
}

async function countToken(
  facts: DeviceFacts,
  config: ModelConfig,
  types: WeightTypes,
  way: "hard" | "soft",
  batch: number,
  rank?: number,
): Promise<WorkCount> {
  const gpu = openDryGpu(facts);
  // Memory as large as it takes to have all of them at once.
  budgetCache(gpu, Infinity);
  const model = createEmptyModel(gpu, config, types);
  if (rank) model.adapter = createAdapter(gpu, config, { rank, alpha: rank });
  const prompt = Array<number>(promptTokens(config)).fill(1);
  const text = async (tokens: number) => {
    using scratch = gpu.arena.scratch();
    await generate(model, DRY_TOKENIZER, {
      prompts: Array.from({ length: batch }, () => prompt),
      group: 1,
      rolloutIds: Array.from({ length: batch }, (_, i) => i),
      ...{ thinking: dryThinking(way), answerTau: 1, seed: 0, step: 1 },
      // A dry device reads zeros: no end token, so all texts are as long as they may be.
      rules: { ...dryRules({ maxThinking: tokens, answerTokens: 4 }), endTokenIds: [] },
    }, scratch);
  };
  // Once before, so that buffers are where they stay.
  await text(2 * TOKENS);
  return between(await growth(gpu, () => text(TOKENS)), await growth(gpu, () => text(2 * TOKENS)), TOKENS);
}

const promptTokens = ({ maxPosition }: ModelConfig): number => Math.min(PROMPT, maxPosition - 4 * TOKENS);

async function growth(gpu: DryGpu, work: () => Promise<unknown>): Promise<WorkCount> {
  const before = gpu.commands.count();
  await work();
  return between(before, gpu.commands.count(), 1);
}

async function countUpdate(facts: DeviceFacts, config: ModelConfig): Promise<WorkCount> {
  const gpu = openDryGpu(facts);
  const model = createEmptyModel(gpu, config);
  using scratch = gpu.arena.scratch();
  const hidden = scratch.f32([QUESTIONS * GROUP, TOKENS, config.hiddenSize], "hidden");
  const prompts = Array.from({ length: QUESTIONS }, () => Array<number>(promptTokens(config)).fill(1));
  const groups = madeUpGroups(prompts, GROUP, () => TOKENS, config.usedVocabSize);
  const update = repeatedUpdate(model, groups, dryThinking("soft"), hidden);
  const work = () => update.record()();
  await work();
  return await growth(gpu, work);
}
