import { lines } from "../../wgsl/text.ts";
import { bitsOf, type BType, type Tile } from "../variant.ts";

// Bytes of a cache line.
const LINE = 64;

/**
 * WGSL that brings the rows of B which the k-step from term `next` on will read into the caches: each lane loads a word of a
 * line, so that the misses overlap. Rows of B are long, and no hardware prefetcher sees a stream in the pieces that a
 * subgroup reads. What is loaded is never used; `end` is what keeps a compiler from leaving the loads out.
 */
export function prefetchRows(
  bType: BType,
  tile: Tile,
  unit: number,
  subgroup: number,
  u64: boolean,
  next: string,
): Record<"setUp" | "step" | "end", string> {
  const word = bitsOf(bType) / 32;
  const perRow = Math.ceil(tile.cols * word * 4 / LINE);
  const perLine = LINE / 4 / unit; // loads
  const setUp = `  var prefetched = 0u; let prefetchAt = pb - lane * ${tile.perThread * word / unit}u;`;
  const step = lines(Math.ceil(tile.depth * perRow / subgroup), (g) => {
    const i = `(${g * subgroup}u + lane)`;
    const at =
      `prefetchAt + min(${next} + ${i} / ${perRow}u, lastK) * strideB + ${i} % ${perRow}u * ${perLine}u`;
    return `    prefetched = prefetched | u32(b[${at}]${unit > (u64 ? 2 : 1) ? ".x" : ""});`;
  });
  return { setUp, step, end: `  if (prefetched == 1u && p.kStart == 0xffffffffu) { c[0] = c[1]; }` };
}
