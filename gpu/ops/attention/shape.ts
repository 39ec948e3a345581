import type { Tensor } from "../../tensor.ts";

/** Keys and values [keys, kvHeads hd] of one layer: a cache, or the packed rows themselves. */
export interface KeysValues {
  k: Tensor;
  v: Tensor;
}

/** Sizes that are constants of an attention kernel: they fix its registers. */
export interface AttentionShape {
  headDim: number;
  /** Query heads that share one key/value head. */
  group: number;
}

/** What the kernels need to know of the device. */
export interface AttentionDevice {
  subgroup: number;
  /** Whether words may be loaded in pairs. */
  u64: boolean;
  /** Keys of a split: GPUs, which need more workgroups than there are heads, fold so many apart; none on software devices. */
  split?: number;
}

/**
 * Sizes of the blocks that one step of a loop takes: of keys (forward, and backward to Q) and of rows (backward to K and V).
 * Smaller for wide heads, whose unrolled steps would take the software device's compiler tens of seconds and run no
 * faster. Blocks start at absolute position 0, so a row's sums come in the same order in decoding, prefill and training.
 */
export function blockOf(headDim: number): { keys: number; rows: number } {
  if (headDim <= 16) return { keys: 8, rows: 4 };
  if (headDim <= 32) return { keys: 4, rows: 2 };
  return { keys: headDim <= 64 ? 2 : 1, rows: 1 };
}

/** WGSL that all attention kernels begin with: shapes, Params, constants, and where a position's key lies. */
export const header = (shape: AttentionShape, subgroup: number): string => `
// Causal attention of packed rows over a shared prefix and their own sequence. q, out [rows, heads hd]; k, v [keys, kvHeads hd];
// lse [rows, heads]; rowMeta[r] = (prefixStart, prefixLen, ownStart, position): the key at absolute position j is row
// prefixStart + j of k and v below prefixLen, ownStart + j - prefixLen from there on.
// tiles[t] = (first row, rows, end, 0): up to S rows of one sequence, or up to 2 S; queries of its keys end before row \`end\`.
// Dispatches begin with tile \`firstTile\`, each in \`cut\` parts.
struct Params { rows: u32, heads: u32, kvHeads: u32, scale: f32, shift: u32, skip: u32, span: u32, firstTile: u32, cut: u32, splits: u32 }
@group(0) @binding(0) var<uniform> p: Params;
const S = ${subgroup}u;
const HQ = ${shape.headDim / 4}u; // vectors in a head
const GROUP = ${shape.group}u;
fn keyRow(m: vec4<u32>, j: u32) -> u32 { return select(m.z + j - m.y, m.x + j, j < m.y); }
`;
