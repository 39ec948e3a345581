import { UserError } from "../../gpu/errors.ts";
import { bytesOfWritten, Q8_0_BLOCK, type WrittenType } from "../formats/encode_elements.ts";
import { ggufMetadata, ropeDivisors } from "../formats/gguf_metadata.ts";
import { ggufTensorName, isInterleaved, ROPE_FACTORS } from "../formats/gguf_weights.ts";
import { createGguf } from "../formats/gguf_writer.ts";
import { storedRow } from "../formats/half_split.ts";
import type { TensorWriter } from "../formats/placed_file.ts";
import { createShards } from "../formats/shards_writer.ts";
import type { TensorEntry, TensorFile } from "../formats/tensor_file.ts";
import { refuseNotFinite } from "../weights/refuse_not_finite.ts";
import { countWeights } from "../memory/count_weights.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { createFolderBeside } from "./own_file.ts";
import { writeCompanions } from "./write_companions.ts";

/** What is written: a model without a device. */
export interface ExportSource {
  /** Its shape. */
  config: ModelConfig;
  /** Its files go along. */
  tokenizer: Tokenizer;
  /** Under Hugging Face's names; read in pieces. */
  weights: TensorFile;
  /** RMS(E) of the base model, where it is kept: it goes along. */
  embeddingRms?: number;
  /** For GGUF's `general.name`. */
  name: string;
}

/** How it is written. */
export interface ExportOptions {
  /** The folder, or the .gguf file. */
  out: string;
  /** Of the weights; norms and biases of a GGUF file are always f32. */
  dtype: "f32" | "f16" | "bf16" | "q8_0";
  /** Told how many elements are written, of how many. */
  onProgress?(done: number, total: number): void;
  /** Stops the export between two tensors; nothing is left of it. */
  signal?: AbortSignal;
  /** Bytes that one safetensors file may have, 5 GB if not given. */
  shardBytes?: number;
}

// 4 Mi elements: 16 MiB pieces keep the heap small whatever the model.
const PIECE = 4 * 1024 * 1024;

/**
 * Writes a model as a Hugging Face folder: safetensors (in several files above 5 GB), config.json, tokenizer. The
 * folder appears when it is whole. Weights pass in pieces.
 *
 * @throws UserError if there is something at that place already, a weight is too large for f16, or the disk refuses
 */
export async function exportSafetensors(source: ExportSource, options: ExportOptions): Promise<void> {
  const { out, dtype } = options;
  if (dtype === "q8_0") {
    throw new UserError(
      "Cannot export safetensors as q8_0: transformers knows no such type, f32, f16 or bf16 is needed",
      "--format gguf takes q8_0",
    );
  }
  refuseTaken(out);
  const { config, tokenizer, embeddingRms } = source;
  const stored = dtype.toUpperCase() as "F32" | "F16" | "BF16";
  let folder: string | undefined;
  try {
    const made = createFolderBeside(out.replace(/\/+$/, ""));
    using _ = made.folder;
    folder = made.beside;
    const specs = exported(source).map(({ name, shape }) => ({ name, dtype: stored, shape }));
    await writeTensors(createShards(folder, specs, options.shardBytes), source, specs, options);
    const extras = embeddingRms === undefined ? undefined : { embeddingRms };
    writeCompanions(folder, { config, dtype: stored, tokenizer, extras });
    Deno.renameSync(folder, out);
  } catch (error) {
    if (folder !== undefined) removeAll(folder);
    throw explain(out, error);
  }
}

/**
 * Writes a model as a GGUF file that llama.cpp loads: names, order of Q's and K's rows, RoPE scaling, tokenizer and
 * chat template as its own converter has them. Matrices are of the type that is asked for; with q8_0, those whose rows
 * are not multiples of 32 are f16.
 *
 * @throws UserError as {@linkcode exportSafetensors}, and if GGUF cannot express the model or its tokenizer
 */
export async function exportGguf(source: ExportSource, options: ExportOptions): Promise<void> {
  const { out, dtype } = options;
  if (!out.endsWith(".gguf")) {
    throw new UserError(`Cannot export a GGUF file to ${out}: a file's name that ends in .gguf is needed`);
  }
  refuseTaken(out);
  const { config, tokenizer, name } = source;
  const matrixType = dtype.toUpperCase() as WrittenType;
  const specs = exported(source).map((entry) => {
    const gguf = ggufTensorName(entry.name)!;
    return { hf: entry.name, name: gguf, shape: entry.shape, dtype: typeIn(entry, matrixType) };
  });
  const metadata = ggufMetadata({ config, tokenizer, name, dtype: matrixType });
  const divisors = ropeDivisors(config);
  const extra = divisors
    ? [{ name: ROPE_FACTORS, shape: [divisors.length], dtype: "F32" as WrittenType }]
    : [];
  try {
    Deno.mkdirSync(out.includes("/") ? out.replace(/\/[^/]*$/, "") || "/" : ".", { recursive: true });
    const writer = createGguf(out, metadata, [...extra, ...specs]);
    if (divisors) writer.write(ROPE_FACTORS, divisors);
    const renamed: TensorWriter = {
      ...writer,
      write: (hf, values) => writer.write(ggufTensorName(hf)!, values),
    };
    const tensors = specs.map(({ hf, shape }) => ({ name: hf, shape }));
    await writeTensors(renamed, source, tensors, options, config);
  } catch (error) {
    throw explain(out, error);
  }
}

/** The tensors of the model's shape; others that a file may carry are left out. */
function exported({ config, weights }: ExportSource): TensorEntry[] {
  const entries = [...weights.tensors].filter(([name]) =>
    ggufTensorName(name) !== undefined && !(config.tied && name === "lm_head.weight")
  ).map(([name, entry]) => ({ ...entry, name }));
  const found = entries.reduce((sum, { elements }) => sum + elements, 0);
  const needed = countWeights(config);
  if (found === needed) return entries;
  throw new UserError(
    `Cannot export the model: its files hold ${found} weights, its configuration asks for ${needed}`,
  );
}

/** Norms and biases stay f32, as llama.cpp asks for; a row that is not whole blocks of Q8_0 is f16. */
function typeIn({ shape }: TensorEntry, wanted: WrittenType): WrittenType {
  if (shape.length < 2) return "F32";
  return wanted === "Q8_0" && shape[1] % Q8_0_BLOCK !== 0 ? "F16" : wanted;
}

async function writeTensors(
  writer: TensorWriter,
  { weights, config }: ExportSource,
  tensors: readonly { name: string; shape: readonly number[] }[],
  { onProgress, signal }: ExportOptions,
  interleave?: ModelConfig,
): Promise<void> {
  const total = tensors.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  let done = 0;
  try {
    for (const { name, shape } of tensors) {
      const [rows, cols] = [shape[0] ?? 1, elementsOf(shape.slice(1))];
      const heads = interleave !== undefined && isInterleaved(config.architecture, name);
      // Whole heads, where their rows change places.
      const unit = heads ? config.headDim : 1;
      const step = Math.max(unit, Math.floor(PIECE / cols / unit) * unit);
      for (let row = 0; row < rows; row += step) {
        const piece = new Float32Array(Math.min(step, rows - row) * cols);
        weights.read(name, row * cols, piece);
        refuseNotFinite(piece, name, "export");
        writer.write(name, heads ? interleaved(piece, cols, config.headDim) : piece);
        onProgress?.(done += piece.length, total);
        // Lets Ctrl-C be heard.
        await new Promise((resolve) => setTimeout(resolve));
        signal?.throwIfAborted();
      }
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** Rows of heads as GGUF's llama has them: our rows i and i + half lie next to each other. */
function interleaved(
  piece: Float32Array<ArrayBuffer>,
  cols: number,
  headDim: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(piece.length);
  for (let row = 0; row < piece.length / cols; row++) {
    out.set(piece.subarray(row * cols, (row + 1) * cols), storedRow(row, headDim) * cols);
  }
  return out;
}

/** Bytes that an export takes on disk, tokenizer aside. */
export function exportedBytes(source: ExportSource, dtype: ExportOptions["dtype"], isGguf: boolean): number {
  const wanted = dtype.toUpperCase() as WrittenType;
  return exported(source).reduce((sum, entry) => {
    const { shape } = entry;
    return sum + bytesOfWritten(isGguf ? typeIn(entry, wanted) : wanted, elementsOf(shape));
  }, 0);
}

const elementsOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

function refuseTaken(out: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(out);
  } catch {
    return;
  }
  if (info.isDirectory && [...Deno.readDirSync(out)].length === 0) return;
  throw new UserError(
    `Cannot export to ${out}: it exists already`,
    "choose another place with --out, or remove it",
  );
}

function removeAll(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch {
    // It was never made.
  }
}

function explain(out: string, error: unknown): unknown {
  const { code, message } = error as Error & { code?: string };
  if (error instanceof UserError || code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  return new UserError(`Cannot export to ${out}: ${message}`, "choose another place with --out");
}
