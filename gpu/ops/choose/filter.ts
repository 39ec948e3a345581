import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, type Tensor } from "../../tensor.ts";
import code from "./filter.wgsl" with { type: "text" };

/** Which tokens may be drawn; each left out is off. Applied in this order, each on what the one before left. */
export interface Filters {
  /** Keeps the k largest logits, and every logit equal to the k-th: a whole number from 1. */
  topK?: number;
  /** Keeps the smallest set of likeliest tokens whose probability reaches topP, and ties of its last: in (0, 1]. */
  topP?: number;
  /** Keeps tokens with p >= minP * (largest p): in [0, 1]. */
  minP?: number;
}

/**
 * Sets the logits z [rows, width] of tokens that may not be drawn to -3e38, which weigh 0 in `choose`. Probabilities
 * are those of softmax(z / tau); the logits that stay are not divided.
 * @param vocab columns that are real tokens: the others are left alone
 * @throws Error if a filter lies outside its range
 */
export function filter(gpu: Gpu, z: Tensor, vocab: number, tau: number, filters: Filters): void {
  const { topK = 0, topP = 1, minP = 0 } = filters;
  expectRange("top-k", filters.topK, Number.isInteger(topK) && topK >= 1, "a whole number from 1");
  expectRange("top-p", filters.topP, topP > 0 && topP <= 1, "a number above 0 and up to 1");
  expectRange("min-p", filters.minP, minP >= 0 && minP <= 1, "a number from 0 to 1");
  if (topK === 0 && topP === 1 && minP === 0) return;
  const { rows, cols: ldz } = asMatrix(z);
  const params = { rows, vocab, ldz, tau, topK, topP, minP };
  run(gpu, { label: "filter", code: () => code }, [z], params, grid(rows));
}

function expectRange(name: string, value: number | undefined, ok: boolean, wanted: string): void {
  if (value !== undefined && !ok) throw new Error(`Cannot filter by ${name} ${value}: ${wanted} is needed`);
}
