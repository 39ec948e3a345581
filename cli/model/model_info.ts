import { openGpu } from "../../gpu/device/open_gpu.ts";
import { deviceMemory } from "../../gpu/device/device_memory.ts";
import { readAdapterConfig } from "../../model/lora/adapter_config.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { kvBytesPerRow } from "../../model/transformer/kv_cache.ts";
import { AT_ONCE } from "../../eval/roll_out_mode.ts";
import { FORCED_TOKENS, generationNeed } from "../../model/memory/generation_memory.ts";
import { countWeights, loraCounts, rolloutsThatFit } from "../../model/memory/cache_budget.ts";
import { trainingNeed } from "../../rl/memory/training_need.ts";
import { type ModelFiles, openModelFiles } from "../../model/files/model_files.ts";
import { planWeights, weightBytes, type WeightForm } from "../../model/weights/weight_types.ts";
import { integer, type Values } from "../settings/setting.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flags } from "../settings/flags.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";

const settings = {
  weights: { ...flags.weights, description: "Weights that generation and LoRA are forecast for" },
  microRows: integer("Tokens that go through an update at once", { default: 8192, min: 64 }),
  prompt: integer("Tokens of a prompt", { default: 128, min: 1 }),
  maxTokens: integer("Tokens of a rollout after its prompt", { default: 256, min: 1 }),
  answerTokens: flags.answerTokens,
  questions: flags.questions,
  group: flags.group,
  loraRank: integer("Rank of a LoRA adapter", { default: 16, min: 1, max: 4096, placeholder: "r" }),
};

/** `softcot model info`: what a model is, and the memory it takes. */
export const modelInfoCommand = defineCommand({
  description: `Show a model's shape, tokenizer and size, and the memory it takes.

Memory is what soft thinking holds at its peak in evaluation, in training of a LoRA adapter and in full training, when every \
rollout is as long as it may be. Nothing is loaded: the work is gone through without a device, and its buffers are counted. \
The device is asked for its largest binding, which decides into how many chunks a weight is split and how many rollouts go at \
once, and, where anybody tells, for the memory it has free.`,
  arguments: [["[model:string]", "folder, file, run or name (default: builtin)"]],
  settings,
  examples: [
    ["The embedded model", "softcot model info"],
    ["A trained run", "softcot model info runs/sums-soft"],
    ["A model in the hub's cache", "softcot model info HuggingFaceTB/SmolLM2-135M-Instruct"],
  ],
  async run(values, { args, print }) {
    const name = args[0] ?? "builtin";
    using files = openModelFiles(name);
    const data = { ...facts(name, files), memory: await memory(name, files, values) };
    print(data, () => describe(data));
  },
});

function facts(name: string, { folder, file, config, tokenizer, weights, hash, ...files }: ModelFiles) {
  const adapter = files.adapter && {
    folder: files.adapter.folder,
    base: files.adapter.base.name,
    rank: readAdapterConfig(files.adapter.folder).rank,
  };
  const types = new Set([...weights.tensors.values()].map(({ dtype }) => dtype));
  return {
    name,
    folder: folder ?? null,
    file: file ?? null,
    adapter: adapter ?? null,
    hash: hash(),
    config,
    parameters: countWeights(config),
    storedAs: [...types].sort(),
    tensors: weights.tensors.size,
    tokenizer: {
      tokens: tokenizer.size,
      byTokens: tokenizer.tokenBytes !== undefined,
      bosId: tokenizer.bosId ?? null,
      eosId: tokenizer.eosId ?? null,
    },
    embeddingRms: files.embeddingRms,
    rmsMeasured: files.rmsMeasured,
  };
}

async function memory(name: string, { config, weights: file }: ModelFiles, values: Values<typeof settings>) {
  const { weights: form, microRows, questions, group, loraRank: rank } = values;
  const bytesAs = (form: WeightForm) => weightBytes(config, planWeights(config, file, form, name).types);
  const { types } = planWeights(config, file, form, name);
  const gpu = await openGpu();
  try {
    const free = deviceMemory(gpu.adapter)?.free;
    const device = { facts: gpu, free };
    const lengths = lengthsWithin(config, values);
    const shape = { ...lengths, group, continuous: true };
    const own = lengths.maxThinking + FORCED_TOKENS + lengths.answerTokens;
    const fitting = rolloutsThatFit(gpu, config, { ...shape, prompt: lengths.promptTokens, own });
    const chunk = Math.ceil(config.vocabSize * config.hiddenSize * 4 / gpu.maxBinding);
    const batch = { ...shape, prompts: Math.ceil(2 * AT_ONCE / group), atOnce: AT_ONCE };
    const training = async (rank?: number) => {
      const need = (recompute: boolean) =>
        trainingNeed(config, { ...shape, questions, microRows, recompute, rank, types }, device);
      const { state, total } = await need(false);
      return { state, training: total, trainingRecomputed: (await need(true)).total };
    };
    const { state: trainingState, ...full } = await training();
    return {
      device: gpu.adapter.name,
      maxBinding: gpu.maxBinding,
      free: free ?? null,
      embeddingChunks: chunk,
      form,
      weights: weightBytes(config, types),
      weightsAs: { exact: bytesAs("exact"), f16: bytesAs("f16"), f32: bytesAs("f32") },
      kvBytesPerToken: kvBytesPerRow(config),
      rollouts: Math.min(AT_ONCE, fitting),
      rolloutTokens: lengths.maxThinking + lengths.answerTokens,
      generation: (await generationNeed(config, batch, types, device)).total,
      questions,
      group,
      microRows,
      trainingState,
      lora: { rank, trained: loraCounts(config, rank).trained, ...await training(rank) },
      ...full,
    };
  } finally {
    gpu.close();
  }
}

/** The lengths that were asked for, as far as the model's context allows them. */
function lengthsWithin(
  { maxPosition }: ModelConfig,
  { prompt, maxTokens, answerTokens: answer }: Pick<
    Values<typeof settings>,
    "prompt" | "maxTokens" | "answerTokens"
  >,
) {
  const promptTokens = Math.min(prompt, Math.floor(maxPosition / 2));
  const own = Math.max(2, Math.min(maxTokens, maxPosition - promptTokens - FORCED_TOKENS));
  const answerTokens = Math.min(answer, own - 1);
  return { promptTokens, maxThinking: own - answerTokens, answerTokens };
}

type ModelInfo = ReturnType<typeof facts> & { memory: Awaited<ReturnType<typeof memory>> };

function describe({ config, memory, tokenizer, ...info }: ModelInfo): string {
  const { heads, kvHeads, headDim } = config;
  const extras = [config.qkvBias && "Q, K, V biases", config.qkNorm && "Q, K norms"].filter(Boolean);
  const shape = [
    ["model", info.name],
    ...(info.folder && info.folder !== info.name ? [["folder", info.folder]] : []),
    ...(info.file && info.file !== info.name ? [["file", info.file]] : []),
    ...(info.adapter
      ? [["adapter", `of rank ${info.adapter.rank} on ${info.adapter.base}, ${info.adapter.folder}`]]
      : []),
    ["weights", `${info.tensors} tensors, ${info.storedAs.join(" and ")}, sha256 ${info.hash.slice(0, 16)}`],
    ["architecture", [config.architecture, ...extras].join(", ")],
    ["parameters", info.parameters.toLocaleString("en")],
    ["layers", config.layers],
    ["width", `${config.hiddenSize}, SwiGLU ${config.intermediateSize}`],
    ["heads", `${heads} of ${headDim}${kvHeads === heads ? "" : `, ${kvHeads} for keys and values`}`],
    [
      "vocabulary",
      `${config.vocabSize}${config.tied ? ", head tied to the embedding" : ""}${padding(config)}`,
    ],
    ["context", `${config.maxPosition} tokens, RoPE ${config.ropeTheta}${scaling(config)}`],
    ["tokenizer", `${tokenizer.tokens} tokens, ${boundary(tokenizer)}`],
    ["end tokens", config.eosTokenIds.join(", ") || "none"],
    [
      "RMS(E)",
      `${info.embeddingRms.toPrecision(6)} (${info.rmsMeasured ? "measured now" : "kept with the model"})`,
    ],
  ];
  const { lora, weightsAs } = memory;
  const rows = [
    [
      `weights, --weights ${memory.form}`,
      inBytes(memory.weights),
      `${inBytes(weightsAs.exact)} exact, ${inBytes(weightsAs.f16)} f16, ${inBytes(weightsAs.f32)} f32${
        chunks(memory.embeddingChunks)
      }`,
    ],
    ["one token in the KV cache", inBytes(memory.kvBytesPerToken), ""],
    [
      `generating ${memory.rollouts} rollouts`,
      inBytes(memory.generation),
      `of ${memory.rolloutTokens} tokens each, soft`,
    ],
    ...training(`LoRA of rank ${lora.rank}`, lora, memory),
    ...training("full training", { ...memory, state: memory.trainingState }, memory),
  ];
  return [
    table(shape, { align: ["left", "left"] }),
    `Memory on ${memory.device}, bindings of up to ${inBytes(memory.maxBinding)}${freeOf(memory)}`,
    table(rows, { align: ["left", "right", "left"] }),
  ].join("\n\n");
}

/** What training holds all along, and at its peak. */
function training(
  what: string,
  { state, training, trainingRecomputed }: { state: number; training: number; trainingRecomputed: number },
  { questions, group, microRows }: ModelInfo["memory"],
): string[][] {
  return [
    [`${what}: weights, gradients, moments`, inBytes(state), `${questions} x ${group} rollouts an update`],
    [
      `${what}, ${microRows} rows at once`,
      inBytes(training),
      `${inBytes(trainingRecomputed)} with --recompute`,
    ],
  ];
}

/** What is free, and what of it all that goes into it. */
function freeOf({ free, generation, lora, training, trainingRecomputed }: ModelInfo["memory"]): string {
  if (free === null) return "";
  const needs: [string, number][] = [
    ["generating", generation],
    ["LoRA", lora.training],
    ["LoRA with --recompute", lora.trainingRecomputed],
    ["full training", training],
    ["full training with --recompute", trainingRecomputed],
  ];
  const fits = needs.filter(([_, bytes]) => bytes <= free).map(([what]) => what);
  return `, ${inBytes(free)} free: enough for ${fits.join(", ") || "none of these"}`;
}

const padding = ({ usedVocabSize, vocabSize }: ModelConfig) =>
  usedVocabSize < vocabSize ? `, ${vocabSize - usedVocabSize} rows of padding` : "";

const scaling = ({ ropeScaling }: ModelConfig) =>
  ropeScaling ? `, ${ropeScaling.type} scaling by ${ropeScaling.factor}` : "";

const chunks = (count: number) => count === 1 ? "" : ` with the embedding in ${count} chunks`;

function boundary({ bosId, eosId }: ModelInfo["tokenizer"]): string {
  const bos = bosId === null ? "no beginning token" : `begins with ${bosId}`;
  return `${bos}, ${eosId === null ? "no end token" : `ends with ${eosId}`}`;
}
