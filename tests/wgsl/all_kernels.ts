import { type Card, CARDS, type DeviceFacts, FURTHER_CARDS } from "../../gpu/device/cards.ts";
import { checkKernel } from "../../gpu/device/check_kernel.ts";
import { checkedThreads, checkTeams } from "../../gpu/device/check_teams.ts";
import { type DryGpu, openDryGpu } from "../../gpu/device/dry_gpu.ts";
import { copyAll, multiplyAdds } from "../../gpu/device/peaks.ts";
import { testLongLoop, testRandom } from "../../gpu/device/self_test.ts";
import { createMatrix } from "../../gpu/matrix.ts";
import { filter } from "../../gpu/ops/choose/filter.ts";
import { castToHalf } from "../../gpu/ops/repack/cast_to_half.ts";
import { fitsDevice, GPU_TILES, gpuSplits } from "../../gpu/ops/matmul/choose_gpu_kernel.ts";
import { matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { matmulSource } from "../../gpu/ops/matmul/matmul_source.ts";
import type { BType } from "../../gpu/ops/matmul/variant.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { uploadBlocks } from "../../gpu/ops/repack/upload_blocks.ts";
import { BLOCK_BYTES, isQuantised } from "../../gpu/quantised.ts";
import { dryThinking, generateDry } from "../../model/memory/generation_memory.ts";
import { UNTRAINED_WAYS, WAYS } from "../../model/thinking/ways.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import { createAdapter } from "../../model/transformer/adapter.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { createEmptyModel } from "../../model/transformer/transformer.ts";
import { createBehind } from "../../rl/behind.ts";
import { dryTrainer, trainDry } from "../../rl/memory/dry_trainer.ts";
import { createLike, createOptimizer } from "../../rl/optimizer.ts";
import { diagnosisOf } from "../../rl/trainer.ts";
import { MODEL_SHAPES } from "../support/model_shapes.ts";
import { SMALL } from "../model/support/small_models.ts";

/** The device that Mesa has where lanes are 4 and words of 64 bits are not granted. */
const NARROW: DeviceFacts = {
  ...CARDS.nvidia,
  ...{ subgroupSize: 4, matmulFamily: "broadcast", maxBinding: 2 ** 27 },
  workgroups: { threads: 256, bytes: 16384, minSubgroup: 4, maxSubgroup: 4 },
};

/** What texts are made for: all but the forms of 64-bit words, which naga alone knows. */
const DEVICES: Readonly<Record<string, DeviceFacts>> = {
  ...CARDS,
  ...FURTHER_CARDS,
  ...{ narrow: NARROW, eight: { ...NARROW, subgroupSize: 8 } },
  "tiles of four": { ...NARROW, matmulFamily: "tile" },
};

const TYPES: readonly BType[] = ["f32", "f16", "q8_0", "q4_0", "q4_1"];

const tiny = (config: ModelConfig): ModelConfig => ({ ...config, layers: 1, maxPosition: 512 });

// Small heads, heads of 64 shared by three, heads with biases, heads that are normed, and of the largest width.
const CONFIGS: readonly ModelConfig[] = [
  tiny(SMALL),
  tiny(MODEL_SHAPES["SmolLM2-135M"]),
  tiny(MODEL_SHAPES["Qwen 2.5 0.5B"]),
  {
    ...tiny(MODEL_SHAPES["SmolLM2-135M"]),
    qkNorm: true,
    headDim: 128,
    heads: 4,
    kvHeads: 2,
    vocabSize: 3001,
    usedVocabSize: 3001,
  },
];

const LENGTHS = { promptTokens: 300, group: 4, maxThinking: 6, answerTokens: 2 };

/** Every text of a kernel that the project can give to a device, with its label: the work itself, run dry on devices of all kinds. */
export async function allKernels(): Promise<Map<string, string>> {
  const kernels = new Map<string, string>();
  for (const [name, facts] of Object.entries(DEVICES)) {
    for (const [code, label] of await kernelsOf(facts)) kernels.set(code, `${label} (${name})`);
  }
  return kernels;
}

/** Those that one device is given, whose buffers and bindings are within its limits where they are known. */
export async function kernelsOf(facts: DeviceFacts | Card): Promise<Map<string, string>> {
  const kernels = new Map<string, string>();
  const onKernel = (label: string, code: string) => void kernels.set(code, label);
  const maxBufferSize = "maxBufferSize" in facts ? facts.maxBufferSize : undefined;
  const open = () => openDryGpu(facts, { onKernel, maxBufferSize });
  for (const config of CONFIGS) await workOf(open, config);
  await otherKernels(open(), onKernel);
  return kernels;
}

const NOISES = (["logits", "top-logits", "hidden"] as const).map((noiseOn) =>
  dryThinking("fuzzy", { noiseOn })
);
const TRAINED: readonly Thinking[] = [...WAYS.map((way) => dryThinking(way)), ...NOISES];
const UNTRAINED: readonly Thinking[] = UNTRAINED_WAYS.map((way) => dryThinking(way));
/** Those that look at the weights in ways of their own: products with E, mixtures of few of its rows, its nearest rows. */
const BY_TYPE: readonly Thinking[] = (["hard", "soft", "multiplex", "neighbours"] as const).map((way) =>
  dryThinking(way)
);

/** Generation in all ways and with all types of weights, trainings of all kinds. */
async function workOf(open: () => DryGpu, config: ModelConfig): Promise<void> {
  const packs = config.hiddenSize % 32 === 0 && config.intermediateSize % 32 === 0;
  for (const type of TYPES.filter((type) => packs || !isQuantised(type))) {
    const model = createEmptyModel(open(), config, type);
    // Decoding of one row, of a few and of many.
    for (const prompts of [1, 2, 4, 16]) {
      for (const thinking of TRAINED.slice(0, 2)) {
        await generateDry(model, { ...LENGTHS, group: prompts, prompts, thinking });
      }
    }
    for (const thinking of type === "f32" ? [...TRAINED, ...UNTRAINED] : BY_TYPE) {
      await generateDry(model, { ...LENGTHS, prompts: 1, thinking });
    }
  }
  // A text whose keys several workgroups take, and so many rows that a workgroup takes one split at a time.
  const long = createEmptyModel(open(), { ...config, maxPosition: 8192 });
  await generateDry(long, { ...LENGTHS, promptTokens: 4500, group: 1, prompts: 1, thinking: TRAINED[0] });
  await generateDry(long, { ...LENGTHS, promptTokens: 20, group: 8, prompts: 256, thinking: TRAINED[0] });
  for (const [i, thinking] of TRAINED.entries()) {
    await train(open(), config, thinking, i % 2 === 0 ? undefined : 4, i % 3 === 0);
  }
}

async function train(
  gpu: DryGpu,
  config: ModelConfig,
  thinking: Thinking,
  rank: number | undefined,
  recompute: boolean,
): Promise<void> {
  const model = createEmptyModel(gpu, config, "f32");
  if (rank) model.adapter = createAdapter(gpu, config, { rank, alpha: rank });
  const base = rank ? undefined : createEmptyModel(gpu, config);
  const behind = thinking.hasRatio ? createBehind(model, 1) : undefined;
  await trainDry(dryTrainer({
    ...{ model, behind, rolloutModel: model },
    shape: {
      ...{ ...LENGTHS, questions: 2, thinking, microRows: 400, recompute, rank },
      ...{ entropyBonus: recompute ? 0.1 : 0, diagnoseEvery: 1, refill: 1, sampleEvery: 1 },
    },
    grads: createLike(model, "gradient"),
    optimizer: createOptimizer(gpu, config, model.adapter),
    diagnosis: diagnosisOf(model, base),
  }));
}

/** What neither generation nor training runs: looks at the device, weights on their way, filters, tiles that only a measurement chooses. */
async function otherKernels(gpu: DryGpu, onKernel: (label: string, code: string) => void): Promise<void> {
  using scratch = gpu.arena.scratch();
  multiplyAdds(gpu, scratch.f32([64], "x"), 1);
  copyAll(gpu, scratch.f32([64], "x"), scratch.f32([64], "y"));
  await testRandom(gpu);
  await testLongLoop(gpu);
  const check = checkKernel(gpu.subgroupSize, gpu.u64Loads);
  onKernel(check.label, check.code());
  onKernel("check_teams", checkTeams(gpu.subgroupSize, checkedThreads(gpu)).code());
  filter(gpu, scratch.f32([2, 100], "z"), 100, 1, { topK: 5, topP: 0.9, minP: 0.1 });
  const half = createMatrix(gpu, 4, 7, "f16", "half");
  uploadRows(gpu, half, 0, new Float32Array(28));
  castToHalf(gpu, createMatrix(gpu, 4, 7, "f32", "from"), half);
  for (const type of TYPES.filter(isQuantised)) {
    uploadBlocks(gpu, createMatrix(gpu, 4, 32, type, type), 0, new Uint8Array(4 * BLOCK_BYTES[type]));
  }
  if (gpu.matmulFamily !== "tile") return;
  for (const cols of [7, 8]) {
    // Few tiles over many rows: the sum is cut into parts.
    const [dy, x] = ["dy", "x"].map((label) => scratch.f32([1024, cols], label));
    matmulTN(gpu, dy, x, createMatrix(gpu, cols, cols, "f32", "gradient"));
  }
  const aligned = [true, false].map((all) => ({ a: all, b: all, c: all }));
  for (const kind of ["nt", "nn", "tn"] as const) {
    for (const bType of kind === "tn" ? ["f32"] as const : TYPES) {
      const splits = [1, 2, 4, 8].flatMap((rows) => gpuSplits(kind, rows));
      for (const tile of [...GPU_TILES, ...splits].filter((tile) => fitsDevice(gpu, kind, bType, tile))) {
        for (const accumulate of [true, false]) {
          for (const one of tile.family === "tile" ? aligned : aligned.slice(0, 1)) {
            const { label, code } = matmulSource(
              { kind, bType, aligned: one, accumulate, tile },
              gpu.subgroupSize,
            );
            onKernel(label, code());
          }
        }
      }
    }
  }
}
