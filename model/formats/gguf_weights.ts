import { UserError } from "../../gpu/errors.ts";
import { bytesOfElements } from "./element_types.ts";
import type { GgufFile } from "./gguf.ts";
import { readHalfSplit, readHalfSplitRows } from "./half_split.ts";
import { readElements, readStoredRows } from "./read_elements.ts";
import { findTensor, type TensorEntry, type TensorFile } from "./tensor_file.ts";

/** GGUF's names outside the blocks, and Hugging Face's. */
const OUTER_NAMES: readonly (readonly [gguf: string, hf: string])[] = [
  ["token_embd", "model.embed_tokens"],
  ["output_norm", "model.norm"],
  ["output", "lm_head"],
];

/** Those of a block, after `blk.N.` and `model.layers.N.`. */
const BLOCK_NAMES: readonly (readonly [gguf: string, hf: string])[] = [
  ["attn_norm", "input_layernorm"],
  ["attn_q", "self_attn.q_proj"],
  ["attn_k", "self_attn.k_proj"],
  ["attn_v", "self_attn.v_proj"],
  ["attn_q_norm", "self_attn.q_norm"],
  ["attn_k_norm", "self_attn.k_norm"],
  ["attn_output", "self_attn.o_proj"],
  ["ffn_norm", "post_attention_layernorm"],
  ["ffn_gate", "mlp.gate_proj"],
  ["ffn_up", "mlp.up_proj"],
  ["ffn_down", "mlp.down_proj"],
];

/** Llama 3's scaling of the rotary frequencies: part of the shape, no weight. */
export const ROPE_FACTORS = "rope_freqs.weight";

/** The Hugging Face name of a GGUF tensor; undefined if the families we know have none of that name. */
function hfTensorName(name: string): string | undefined {
  const [, block, stem, ending] = /^(?:blk\.(\d+)\.)?([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
  const hf = (block === undefined ? OUTER_NAMES : BLOCK_NAMES).find(([gguf]) => gguf === stem)?.[1];
  if (hf === undefined) return undefined;
  return `${block === undefined ? "" : `model.layers.${block}.`}${hf}.${ending}`;
}

/** The GGUF name of a Hugging Face tensor; undefined if the families we know have none of that name. */
export function ggufTensorName(name: string): string | undefined {
  const [, block, stem, ending] = /^(?:model\.layers\.(\d+)\.)?([a-z_.]+)\.(weight|bias)$/.exec(name) ?? [];
  const gguf = (block === undefined ? OUTER_NAMES : BLOCK_NAMES).find(([, hf]) => hf === stem)?.[0];
  if (gguf === undefined) return undefined;
  return `${block === undefined ? "" : `blk.${block}.`}${gguf}.${ending}`;
}

/** Whether GGUF stores the rows of a tensor as interleaved pairs: Q and K of architecture `llama` alone. */
export const isInterleaved = (architecture: string, hfName: string): boolean =>
  architecture === "llama" && /\.self_attn\.[qk]_proj\.(weight|bias)$/.test(hfName);

/**
 * The weights of a GGUF file under Hugging Face's names and in its order of rows.
 *
 * @param gguf the open file, which the view closes
 * @param architecture decides whether rows of Q and K are interleaved
 * @param headDim width of a head
 * @throws UserError if the file has a tensor that these families have no place for
 */
export function ggufWeights(gguf: GgufFile, architecture: string, headDim: number): TensorFile {
  // The view must not hold the metadata, which may be large.
  const { bytes, label } = gguf;
  const tensors = new Map<string, TensorEntry>();
  for (const entry of gguf.tensors.values()) {
    if (entry.name === ROPE_FACTORS) continue;
    const name = hfTensorName(entry.name);
    if (name === undefined) {
      throw new UserError(
        `Cannot read ${label}: it has a tensor ${JSON.stringify(entry.name.slice(0, 100))}, ` +
          `which architecture ${architecture} has no place for here`,
      );
    }
    if (isInterleaved(architecture, name) && (entry.shape[0] ?? 1) % headDim !== 0) {
      throw new UserError(
        `Cannot read ${label}: ${entry.name} is [${
          entry.shape.join(", ")
        }], whole heads of ${headDim} rows are needed`,
      );
    }
    tensors.set(name, entry);
  }
  const read = (name: string, from: number, out: Float32Array<ArrayBuffer>) => {
    const entry = findTensor(tensors, name, label);
    if (!isInterleaved(architecture, name)) return readElements(bytes, entry, from, out);
    const readHead = (at: number, head: Float32Array<ArrayBuffer>) => readElements(bytes, entry, at, head);
    readHalfSplit(readHead, entry.shape[1] ?? 1, headDim, from, out);
  };
  const readStored = (name: string, row: number, out: Uint8Array<ArrayBuffer>) => {
    const entry = findTensor(tensors, name, label);
    const readRows = (at: number, rows: Uint8Array<ArrayBuffer>) => readStoredRows(bytes, entry, at, rows);
    if (!isInterleaved(architecture, name) || entry.shape.length < 2) return readRows(row, out);
    readHalfSplitRows(readRows, bytesOfElements(entry.dtype, entry.shape[1]), headDim, row, out);
  };
  return { tensors, metadata: {}, read, readStored, close: () => bytes.close() };
}
