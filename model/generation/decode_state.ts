import type { Scratch } from "../../gpu/arena.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { KvCache } from "../transformer/kv_cache.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import type { Model } from "../transformer/transformer.ts";
import type { Part } from "./rollout.ts";
import type { Sequence } from "./sequence.ts";

/** Tensors of the rows that are decoded, made once: row r of each belongs to the r-th sequence of the stride at work. */
export interface DecodeState {
  model: Model;
  cache: KvCache;
  /** How rows take their steps. */
  takeStep: TakeStep;
  /** Rows that there may be at once. */
  slots: number;
  /** Outputs of the last block [slots, d], which predict the next step; and where they go in another order. */
  rows: Tensor;
  spare: Tensor;
  /** u32 [slots, 4]: (row, rollout id, _, position), what keys the draws; and what attention goes by, as in `packing.ts`. */
  info: Tensor;
  rowMeta: Tensor;
  /** u32 [slots]: where each row of a new order comes from, among the old rows and among a prefill's outputs. */
  fromRows: Tensor;
  fromPrefill: Tensor;
  /** What one stride chose, by part. */
  thinking: PartRecord;
  answer: PartRecord;
  /** All of it in one piece, for one read. */
  packed: Tensor;
  /** [slots, STRIDE, d]: rows that a stride's continuous thinking fed. */
  fed: Tensor;
  /** [rollouts, steps, d]: where they are kept, if they are. */
  hidden?: Tensor;
}

/** Tokens (or shadows) u32 [slots, STRIDE], and statistics f32 [slots, STRIDE, 4]. */
export interface PartRecord {
  tokens: Tensor;
  stats: Tensor;
}

/** What a step is made from: the final-normed rows y [rows, d] and logits z [rows, V] of the stride's step `t`. */
export interface StepRows {
  y: Tensor;
  z: Tensor;
  /** Lives as long as the step. */
  temporary: Scratch;
  t: number;
}

/** Takes a step of all rows: what each chose goes to the records, and `state.rows` become the rows that the next step reads. */
export type TakeStep = (state: DecodeState, sequences: readonly Sequence[], step: StepRows) => void;

/**
 * Tensors for at most `slots` sequences at once.
 *
 * @param parts `continuous`: some think in rows that are no token's; `alike`: one record serves both parts
 */
export function createDecodeState(
  { continuous, alike, ...parts }:
    & Pick<DecodeState, "model" | "cache" | "takeStep" | "hidden" | "slots">
    & { continuous: boolean; alike: boolean },
  scratch: Scratch,
): DecodeState {
  const { slots, model } = parts;
  const d = model.config.hiddenSize;
  const record = (part: Part): PartRecord => ({
    tokens: scratch.u32([slots, STRIDE], `${part} tokens`),
    stats: scratch.f32([slots, STRIDE, 4], `${part} stats`),
  });
  const thinking = record("thinking");
  return {
    ...parts,
    rows: scratch.f32([slots, d], "rows"),
    spare: scratch.f32([slots, d], "rows in their old order"),
    info: scratch.u32([slots, 4], "row info"),
    rowMeta: scratch.u32([slots, 4], "row meta"),
    fromRows: scratch.u32([slots], "from rows"),
    fromPrefill: scratch.u32([slots], "from prefill"),
    thinking,
    answer: alike ? thinking : record("answer"),
    packed: scratch.f32([slots * STRIDE * 10], "stride"),
    fed: scratch.f32(continuous ? [slots, STRIDE, d] : [1], "rows fed"),
  };
}
