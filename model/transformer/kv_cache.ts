import type { Scratch } from "../../gpu/arena.ts";
import type { KeysValues } from "../../gpu/ops/attention/shape.ts";
import type { ModelConfig } from "./config.ts";

/** Keys and values of every layer. A row of it, a *KV row*, holds those of one position of one sequence. */
export interface KvCache {
  rows: number;
  layers: KeysValues[];
}

/** Bytes that one row of the cache takes over all layers. */
export const kvBytesPerRow = (config: ModelConfig): number =>
  config.layers * 2 * config.kvHeads * config.headDim * 4;

/** A cache of `rows` rows, contents undefined, freed with the scratch. */
export function createKvCache(scratch: Scratch, config: ModelConfig, rows: number): KvCache {
  const width = config.kvHeads * config.headDim;
  const layer = (i: number): KeysValues => ({
    k: scratch.f32([rows, width], `cache k ${i}`),
    v: scratch.f32([rows, width], `cache v ${i}`),
  });
  return { rows, layers: Array.from({ length: config.layers }, (_, i) => layer(i)) };
}
