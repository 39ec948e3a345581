import type { Scratch } from "../../gpu/arena.ts";
import type { KeysValues } from "../../gpu/ops/attention/keys_values.ts";
import type { ModelConfig } from "./config.ts";

/** Keys and values of every layer. Rows belong to whoever planned them: a prompt, or one rollout's own tokens. */
export interface KvCache {
  rows: number;
  layers: KeysValues[];
}

/** Rollouts leave, and others take their place, after this many steps only: timing never changes a result. */
export const STRIDE = 4;

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

/** Rows of the cache that are lent to prompts of any length. */
export interface RowSpace {
  /** The first row of `count` free ones, which are taken; null if no gap is long enough. */
  take(count: number): number | null;
  /** Gives rows back that {@link take} lent. */
  release(start: number, count: number): void;
}

/** Lends rows 0 to `size`, from the first gap that is long enough. */
export function createRowSpace(size: number): RowSpace {
  let gaps: { start: number; end: number }[] = [{ start: 0, end: size }];
  return {
    take(count) {
      const gap = gaps.find(({ start, end }) => end - start >= count);
      if (!gap) return null;
      const { start } = gap;
      gap.start += count;
      return start;
    },
    release(start, count) {
      const sorted = [...gaps, { start, end: start + count }].filter((gap) => gap.end > gap.start)
        .sort((a, b) => a.start - b.start);
      gaps = [];
      for (const gap of sorted) {
        const last = gaps.at(-1);
        if (last && last.end === gap.start) last.end = gap.end;
        else gaps.push(gap);
      }
    },
  };
}
