/** Reads the golden files of this folder; README.md describes them. Nothing of the program is used to read them. */
import type { ModelConfig } from "../../model/transformer/config.ts";

/** The models there are: a folder each. */
export const GOLDEN_MODELS = ["llama_tied", "llama3_gqa", "qwen2", "qwen3"] as const;
/** The policy-gradient batches of each model. */
export const GOLDEN_CASES = ["hard", "soft", "fuzzy", "near_tie"] as const;

export type GoldenModel = typeof GOLDEN_MODELS[number];
export type GoldenCaseName = typeof GOLDEN_CASES[number];

/** A named tensor of a safetensors file, row-major. */
export interface GoldenTensor {
  shape: number[];
  data: Float32Array;
}

/** One finished rollout; T thinking steps, A answer tokens. */
export interface GoldenRollout {
  /** Which prompt (0 .. questions - 1); rollouts of one question are consecutive and share the prompt. */
  question: number;
  prompt: number[];
  /** Hard: the sampled thinking tokens, which were fed. Soft and fuzzy: the greedy shadow, not fed. */
  thinking: number[];
  /** Forced ids between thinking and answer: fed, not actions. */
  forced: number[];
  /** Sampled at temperature 1; the last is never fed. */
  answer: number[];
  reward: number;
  /** Leave-one-out, of rewards divided by 100. */
  advantage: number;
  /** [T], log p(tau)[token], or -||h~ - m||^2 / (2 sigma^2). */
  thinkingLogProbabilities: Float64Array;
  /** [A]. */
  answerLogProbabilities: Float64Array;
  /** [T, d], eps; soft and fuzzy only, as the two below. */
  noise?: Float64Array;
  /** [T, d], the rows that were fed, h~ = m + sigma eps: constants of the gradient. */
  thoughts?: Float64Array;
  /** [T, d], m = p(tau) E. */
  mixtures?: Float64Array;
}

/** One recorded batch and its loss. */
export interface GoldenCase {
  mode: "hard" | "soft" | "fuzzy";
  tau: number;
  gamma: number;
  /** gamma * RMS(E), E with its padding rows. */
  sigma: number;
  /** Philox key word 0; noise has domain 0, token sampling domain 1. */
  seed: number;
  /** Philox counter word 3. */
  step: number;
  questions: number;
  group: number;
  /** Smallest distance of the two top logits over all thinking steps. */
  smallestGap: number;
  /** -(1 / (questions * group)) sum of advantage * (sum of all log-probabilities). */
  loss: number;
  rollouts: GoldenRollout[];
}

/** Ten AdamW steps on the mean cross-entropy of the sequences. */
export interface GoldenTraining {
  learningRate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  clip: number;
  steps: number;
  /** Targets the cross-entropy is divided by. */
  targets: number;
  /** steps + 1 values: before each step, and after the last. */
  losses: number[];
  /** Before clipping, one for each step. */
  gradientNorms: number[];
}

/** Everything known of one model. */
export interface Golden {
  config: ModelConfig;
  /** Hugging Face names; the head is absent if tied. */
  weights: Map<string, GoldenTensor>;
  sequences: number[][];
  /** [sequence length, vocabSize] for each sequence; columns of padding ids are raw, not masked. */
  logits: Float64Array[];
  /** Summed over all next tokens of all sequences, padding ids masked. */
  crossEntropy: number;
  cases: Record<GoldenCaseName, GoldenCase>;
  /** Gradients of the summed cross-entropy ("cross_entropy") or of a case's loss, by parameter name. */
  gradients: Record<"cross_entropy" | GoldenCaseName, Map<string, GoldenTensor>>;
  training: GoldenTraining;
  /** The weights after the training. */
  trained: Map<string, GoldenTensor>;
}

/** The folder of a model's golden files: a Hugging Face model folder without a tokenizer. */
export function goldenFolder(name: GoldenModel): string {
  return new URL(`./${name}`, import.meta.url).pathname;
}

/** Reads all golden files of one model (about half a megabyte). */
export function loadGolden(name: GoldenModel): Golden {
  const folder = goldenFolder(name);
  const json = JSON.parse(Deno.readTextFileSync(`${folder}/golden.json`), unpack);
  const gradients: Record<string, Map<string, GoldenTensor>> = {};
  for (const [key, tensor] of readSafetensors(`${folder}/gradients.safetensors`)) {
    const [of, parameter] = key.split("/");
    (gradients[of] ??= new Map()).set(parameter, tensor);
  }
  const { modelConfig: config, ...rest } = json;
  return {
    config,
    ...rest,
    gradients,
    weights: readSafetensors(`${folder}/model.safetensors`),
    trained: readSafetensors(`${folder}/trained.safetensors`),
  };
}

/** The tensors of a safetensors file of float32: a length, a JSON header, the numbers. */
export function readSafetensors(path: string): Map<string, GoldenTensor> {
  const bytes = Deno.readFileSync(path);
  const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: [start, end] } = entry as {
      dtype: string;
      shape: number[];
      data_offsets: [number, number];
    };
    if (dtype !== "F32") throw new Error(`Cannot read ${name} of ${path}: type ${dtype}, expected F32`);
    const data = new Float32Array(bytes.slice(8 + headerLength + start, 8 + headerLength + end).buffer);
    tensors.set(name, { shape, data });
  }
  return tensors;
}

/** JSON reviver: `{ shape, f64 }` becomes a Float64Array. */
function unpack(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("f64" in value)) return value;
  const bytes = Uint8Array.from(atob(value.f64 as string), (c) => c.charCodeAt(0));
  return new Float64Array(bytes.buffer);
}
