import type { KernelSource } from "../../kernel.ts";
import { broadcastKernel } from "./broadcast/broadcast_kernel.ts";
import { stationaryKernel } from "./broadcast/stationary_kernel.ts";
import { scalarKernel } from "./broadcast/scalar_kernel.ts";
import { splitNN } from "./split/split_nn.ts";
import { splitNT } from "./split/split_nt.ts";
import { tileKernel } from "./tile/tile_kernel.ts";
import type { Aligned, MatmulVariant } from "./variant.ts";

/** The kernel of a variant: label and WGSL text. */
export function matmulSource(
  variant: MatmulVariant,
  subgroup: number,
): KernelSource {
  const { kind, bType, loads, aligned, sparse, parted, prefetch, accumulate, tile, prologue, lowRank } =
    variant;
  const square = tile.family === "broadcast" ? [] : [tile.perThread];
  const size = [tile.rows, tile.cols, ...square, tile.depth].join("x");
  const body = () => {
    if (aligned) {
      if (tile.family === "tile") return tileKernel(variant, aligned);
      return kind === "nt" ? splitNT(variant) : splitNN(variant, aligned);
    }
    if (loads && tile.stationaryB) return stationaryKernel(variant, loads, subgroup);
    return loads ? broadcastKernel(variant, loads, subgroup) : scalarKernel(kind, bType, tile);
  };
  const vec4s = aligned && ["a", "b", "c"].filter((of) => aligned[of as keyof Aligned]).join("");
  const load = aligned ? `_by4${vec4s}` : loads ? `_${loads.a}_${loads.b}_${loads.c}` : "_scalar";
  const fused = prologue && (prologue === "swiglu" ? prologue : `rms_norm_${prologue.rmsNorm}`);
  const suffix = [
    fused,
    lowRank && "low_rank",
    tile.stationaryB && "stationary",
    tile.shuffle && "shuffle",
    sparse && "sparse",
    parted && "parts",
    prefetch && "prefetch",
    accumulate && "add",
  ];
  return {
    label: [`matmul_${kind}_${bType}_${tile.family}_${size}${load}`, ...suffix].filter(Boolean).join("_"),
    code: () => `const ACCUMULATE = ${accumulate};${PARAMS}${body()}`,
  };
}

const PARAMS = `
// C[m, n] (+)= sum over k of A B. Row-major with strides lda, ldb, ldc and offsets, all in elements.
// nt: A[m, k] B[n, k]; nn: A[m, k] B[k, n]; tn: A[k, m] B[k, n]. Terms kStart to kEnd, ascending.
struct Params {
  m: u32, n: u32, k: u32, lda: u32, ldb: u32, ldc: u32, aOff: u32, bOff: u32, cOff: u32,
  rowStart: u32, kStart: u32, kEnd: u32, listStart: u32, listStride: u32, span: u32, rank: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
`;
