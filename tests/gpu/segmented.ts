/** The order in which GPUs' products add, in plain numbers of f32. */
import type { BType } from "../../gpu/ops/matmul/variant.ts";
import { isQuantised } from "../../gpu/quantised.ts";
import { random16 } from "./support.ts";

/** Sums of `inner` terms in segments of `length`: a(i, k) times w(k, j), from `old`. */
export function segmented(
  [m, inner, n]: [number, number, number],
  length: number,
  a: (i: number, k: number) => number,
  w: (k: number, j: number) => number,
  old?: Float64Array,
): Float32Array {
  const { fround } = Math;
  return Float32Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let total = old ? old[at] : 0;
    for (let start = 0; start < inner; start += length) {
      let chain = start === 0 && length >= inner ? total : 0;
      for (let k = start; k < Math.min(inner, start + length); k++) chain = fround(a(i, k) * w(k, j) + chain);
      total = length >= inner ? chain : fround(total + chain);
    }
    return total;
  });
}

/** Values whose products with such weights take no more than 24 bits: 11 with 11 of f16, powers of two with any. */
export function rowsFor(bType: BType, seed: number, length: number): Float64Array {
  const values = random16(seed, length);
  return isQuantised(bType) ? values.map((x) => Math.sign(x) * 2 ** Math.round(2 * Math.abs(x))) : values;
}
