import type { ModelConfig } from "../../model/transformer/config.ts";
import { counted } from "../terminal/counted.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";
import type { memoryForecast } from "./memory_forecast.ts";
import type { modelFacts } from "./model_facts.ts";

/** What `softcot model info` tells. */
type ModelInfo = ReturnType<typeof modelFacts> & { memory: Awaited<ReturnType<typeof memoryForecast>> };

/** A model and its memory as people read them. */
export function describeModel(info: ModelInfo): string {
  const { memory } = info;
  return [
    table(shapeRows(info), { align: ["left", "left"] }),
    `Memory on ${memory.device}, bindings of up to ${inBytes(memory.maxBinding)}${freeOf(memory)}`,
    table(memoryRows(memory), { align: ["left", "right", "left"] }),
  ].join("\n\n");
}

/** Spoilt tensors that are named. */
const MOST_NAMED = 5;

function shapeRows({ config, tokenizer, ...info }: ModelInfo): unknown[][] {
  const { heads, kvHeads, headDim } = config;
  const extras = [config.qkvBias && "Q, K, V biases", config.qkNorm && "Q, K norms"].filter(Boolean);
  return [
    ["model", info.name],
    ...(info.folder && info.folder !== info.name ? [["folder", info.folder]] : []),
    ...(info.file && info.file !== info.name ? [["file", info.file]] : []),
    ...(info.adapter
      ? [["adapter", `of rank ${info.adapter.rank} on ${info.adapter.base}, ${info.adapter.folder}`]]
      : []),
    ["weights", `${info.tensors} tensors, ${info.storedAs.join(" and ")}, sha256 ${info.hash.slice(0, 16)}`],
    ...info.notFinite.slice(0, MOST_NAMED).map(({ tensor, notFinite, of }, i) => [
      i === 0 ? "NOT FINITE" : "",
      `${tensor}: ${notFinite.toLocaleString("en")} of ${
        of.toLocaleString("en")
      } numbers are NaN or infinite`,
    ]),
    ...info.notFinite.length > MOST_NAMED
      ? [["", `and ${counted(info.notFinite.length - MOST_NAMED, "tensor")} more`]]
      : [],
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
}

function memoryRows(memory: ModelInfo["memory"]): string[][] {
  const { lora, weightsAs } = memory;
  return [
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
  const some = fits.join(", ") || "none of these";
  return `, ${inBytes(free)} free: enough for ${fits.length === needs.length ? "all of these" : some}`;
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
