import { isQuantised } from "../../quantised.ts";
import { INVERSE_RMS, NORM_LANES, partialSquares } from "../norm/norm_lanes.ts";
import type { BType, Prologue } from "./variant.ts";

/** WGSL by which a kernel for GPUs makes A [m, k], an array `a` of vec4s, from what it loads. */
export interface GpuPrologue {
  /** Bindings, workgroup memory and functions. */
  declare: string;
  /** What a workgroup begins with, which knows its `thread` and its first row `row0`. */
  begin: string;
  /** What is loaded beside the vector that lies at `index` of a and begins with term `at`. */
  beside: (index: string, at: string) => string;
  /** A's vector, made of both, in row `row` of the workgroup. */
  make: (value: string, beside: string, row: string) => string;
}

/** A workgroup: its rows, how many of them are summed at a time, and its threads. */
interface Group {
  rows: number;
  together: number;
  threads: number;
}

/** Bytes of workgroup memory that a prologue takes. */
export const prologueBytes = (prologue: Prologue, { rows, together }: Omit<Group, "threads">): number =>
  prologue === "swiglu" ? 0 : 4 * (together * NORM_LANES + rows);

/** The arithmetic of swiglu.ts or of norm_lanes.ts, to the bit. */
export function gpuPrologue(prologue: Prologue, bType: BType, group: Group): GpuPrologue {
  if (prologue !== "swiglu") return normPrologue(prologue.rmsNorm, bType, group);
  return {
    declare: "",
    begin: "",
    beside: (index) => `a[${index} + p.k / 4u]`,
    make: (gate, up) => `${gate} / (1.0 + exp(-${gate})) * ${up}`,
  };
}

function normPrologue(eps: number, bType: BType, { rows, together, threads }: Group): GpuPrologue {
  const sums = together * NORM_LANES;
  return {
    declare: `
@group(0) @binding(${isQuantised(bType) ? 5 : 4}) var<storage, read> normWeight: array<vec4<f32>>;
var<workgroup> squares: array<f32, ${sums}>;
var<workgroup> rinv: array<f32, ${rows}>;
${partialSquares("a")}
${INVERSE_RMS}`,
    begin: `
  for (var first = 0u; first < ${rows}u; first += ${together}u) {
    for (var i = thread; i < ${sums}u; i += ${threads}u) {
      let row = min(row0 + first + i / ${NORM_LANES}u, p.m - 1u);
      squares[i] = partialSquares((p.aOff + row * p.lda) / 4u, p.k / 4u, i % ${NORM_LANES}u);
    }
    workgroupBarrier();
    if (thread < ${together}u) { rinv[first + thread] = inverseRms(thread * ${NORM_LANES}u, p.k, ${eps}); }
    workgroupBarrier();
  }`,
    beside: (_, at) => `normWeight[(${at}) >> 2u]`,
    make: (value, weight, row) => `${value} * rinv[${row}] * ${weight}`,
  };
}
