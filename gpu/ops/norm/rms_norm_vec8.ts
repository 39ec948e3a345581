import type { Gpu } from "../../gpu.ts";
import { grid, type KernelSource, run } from "../../kernel.ts";
import { asMatrix, type Tensor } from "../../tensor.ts";
import { suitsVec8, VEC8, VEC8_LANES } from "../wgsl/vec8.ts";
import { lines, range } from "../wgsl/text.ts";
import forwardBindings from "./rms_norm_bindings.wgsl" with { type: "text" };
import backwardBindings from "./rms_norm_backward_bindings.wgsl" with { type: "text" };

// RMSNorm for the software device: a lane holds 8 numbers of each 64 of a row, loaded once. The same bits as the kernels of
// vectors of four (rms_norm.wgsl, rms_norm_backward.wgsl, rms_norm_weight.wgsl), of which lane j holds vectors j, j + 8, ...
const CHUNK = 8 * VEC8_LANES;
// Rows of more numbers would make long texts, and are a small part of what is done with them.
const WIDEST = 1024;

/** Whether rows of d numbers can be normed by these kernels. */
export const suitsNormVec8 = (gpu: Gpu, d: number): boolean =>
  suitsVec8(gpu) && d % CHUNK === 0 && d <= WIDEST;

/**
 * The sum over a row of the totals of its vectors: `a` and `b` of each chunk are those of a lane's first and last four. Summed
 * as lanes of vectors of four would, each its own, and the software device's subgroupAdd then those, ascending.
 */
function rowSum(chunks: number): string {
  const ofLane = (j: number) => {
    const half = j % 2 === 0 ? "a" : "b";
    const vectors = range(2 * chunks).map((i) =>
      `subgroupBroadcast(${half}${i >> 1}, ${(j >> 1) + VEC8_LANES / 2 * (i % 2)}u)`
    );
    return vectors.reduce((sum, vector) => `(${sum} + ${vector})`, "0.0");
  };
  return range(VEC8_LANES).map(ofLane).reduce((sum, lane) => `(${sum} + ${lane})`);
}

/** The vectors a and b of a lane in each chunk of an array's row (`at`: the lane's place in its first chunk). */
const load = (name: string, array: string, at: string, chunks: number) =>
  lines(chunks, (q) =>
    `  let ${name}${q} = ${array}[${at} + ${q * VEC8_LANES}u]; ` +
    `let ${name}a${q} = first(${name}${q}); let ${name}b${q} = last(${name}${q});`);

const both = (chunks: number, make: (h: string) => string) =>
  lines(chunks, (q) => `  ${make(`a${q}`)} ${make(`b${q}`)}`);

const MAIN = `@compute @workgroup_size(${VEC8_LANES})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let block = wg.y * n.x + wg.x;
  let end = min((block + 1u) * p.each, p.rows);`;

/** out [rows, d], rinv [rows] of x [rows, d], weight [d]; `each` rows a workgroup. */
const forward = (chunks: number) =>
  `${VEC8}alias V = E;
struct Params { rows: u32, each: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
${forwardBindings}${MAIN}
${load("w", "weight", "lane", chunks)}
  for (var row = block * p.each; row < end; row++) {
  let at = row * ${chunks * VEC8_LANES}u + lane;
${load("x", "x", "at", chunks)}
${both(chunks, (h) => `let ${h} = total(x${h} * x${h});`)}
  let scale = 1.0 / sqrt(${rowSum(chunks)} / ${chunks * CHUNK}.0 + p.eps);
  if (lane == 0u) { rinv[row] = scale; }
${
    lines(
      chunks,
      (q) => `  out[at + ${q * VEC8_LANES}u] = vec8(xa${q} * scale * wa${q}, xb${q} * scale * wb${q});`,
    )
  }
  }
}`;

/**
 * dx of x, dy [rows, d], weight [d], rinv [rows]; and with `weighted` each block's part of dweight: partial [blocks, d], a
 * block being `each` rows.
 */
const backward = (chunks: number, weighted: boolean) =>
  `${VEC8}alias V = E;
struct Params { rows: u32, each: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
${backwardBindings}${weighted ? "@group(0) @binding(6) var<storage, read_write> partial: array<V>;" : ""}
${MAIN}
${load("w", "weight", "lane", chunks)}
${weighted ? both(chunks, (h) => `var part${h} = vec4<f32>();`) : ""}
  for (var row = block * p.each; row < end; row++) {
  let at = row * ${chunks * VEC8_LANES}u + lane;
  let scale = rinv[row];
${load("x", "x", "at", chunks)}
${load("y", "dy", "at", chunks)}
${both(chunks, (h) => `let g${h} = w${h} * y${h}; let ${h} = total(g${h} * x${h});`)}
  let projection = ${rowSum(chunks)} * scale * scale / ${chunks * CHUNK}.0;
${both(chunks, (h) => `var d${h} = (g${h} - x${h} * projection) * scale;`)}
  if (p.accumulate != 0u) {
${load("old", "dx", "at", chunks)}
${both(chunks, (h) => `d${h} = old${h} + d${h};`)}
  }
${lines(chunks, (q) => `  dx[at + ${q * VEC8_LANES}u] = vec8(da${q}, db${q});`)}
${weighted ? both(chunks, (h) => `part${h} += y${h} * x${h} * scale;`) : ""}
  }
${
    weighted
      ? lines(
        chunks,
        (q) =>
          `  partial[block * ${chunks * VEC8_LANES}u + ${
            q * VEC8_LANES
          }u + lane] = vec8(parta${q}, partb${q});`,
      )
      : ""
  }
}`;

const source = (name: string, d: number, code: (chunks: number) => string): KernelSource => ({
  label: `${name}_vec8_${d}`,
  code: () => code(d / CHUNK),
});

/** Few rows go to workgroups of their own, of many rows some dozens share a loading of the weight. */
const rowsEach = (rows: number) => Math.min(64, Math.ceil(rows / 32));

/** The forward norm. */
export function normVec8(gpu: Gpu, x: Tensor, weight: Tensor, out: Tensor, rinv: Tensor, eps: number): void {
  const { rows, cols: d } = asMatrix(x);
  const each = rowsEach(rows);
  const kernel = source("rms_norm", d, forward);
  run(gpu, kernel, [x, weight, out, rinv], { rows, each, eps }, grid(Math.ceil(rows / each)));
}

/** The backward norm; `partial` [blocks, d], if given, becomes the weight's gradient over blocks of `block` rows. */
export function normBackwardVec8(
  gpu: Gpu,
  tensors: { x: Tensor; weight: Tensor; rinv: Tensor; dy: Tensor; dx: Tensor },
  accumulate: boolean,
  weights?: { partial: Tensor; block: number },
): void {
  const { x, weight, rinv, dy, dx } = tensors;
  const { rows, cols: d } = asMatrix(x);
  const each = weights?.block ?? rowsEach(rows);
  const name = weights ? "rms_norm_backward_weight" : "rms_norm_backward";
  const kernel = source(name, d, (chunks) => backward(chunks, weights !== undefined));
  const bound = [x, weight, rinv, dy, dx];
  run(
    gpu,
    kernel,
    weights ? [...bound, weights.partial] : bound,
    { rows, each, accumulate: accumulate ? 1 : 0 },
    grid(Math.ceil(rows / each)),
  );
}
