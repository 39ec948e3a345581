import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, type Tensor } from "../../tensor.ts";
import bindings from "./rms_norm_bindings.wgsl" with { type: "text" };

// RMSNorm for GPUs. A product of few rows norms them on its way (gpu/ops/matmul/gpu_prologue.ts), in workgroups of other sizes: so
// nothing here depends on a subgroup, whose sum a driver may order in one kernel otherwise than in another.

/** Partial sums of a row: of vectors of four i, i + NORM_LANES, ... */
export const NORM_LANES = 64;

/** Whether rows of d numbers are normed so. */
export const suitsNormLanes = (gpu: Gpu, d: number): boolean => gpu.matmulFamily === "tile" && d % 4 === 0;

/** WGSL of `partialSquares(first, width, lane)`: partial sum `lane` of the squares of `width` vectors of `array`, from `first` on. */
export const partialSquares = (array: string): string => `
fn partialSquares(first: u32, width: u32, lane: u32) -> f32 {
  var sum = 0.0;
  for (var c = lane; c < width; c += ${NORM_LANES}u) {
    let v = ${array}[first + c];
    sum = fma(v.w, v.w, fma(v.z, v.z, fma(v.y, v.y, fma(v.x, v.x, sum))));
  }
  return sum;
}`;

/** WGSL of `inverseRms(start, d, eps)` from the partial sums of a row, which lie in workgroup memory as `squares` from `start` on. */
export const INVERSE_RMS = `
fn inverseRms(start: u32, d: u32, eps: f32) -> f32 {
  var sums = vec4<f32>();
  for (var i = start; i < start + ${NORM_LANES}u; i += 4u) {
    sums += vec4<f32>(squares[i], squares[i + 1u], squares[i + 2u], squares[i + 3u]);
  }
  // By fma: a driver makes a quotient a product, which it may round or not before it adds.
  return 1.0 / sqrt(fma((sums.x + sums.y) + (sums.z + sums.w), 1.0 / f32(d), eps));
}`;

// out[r, c] = x[r, c] * rinv[r] * weight[c], rinv[r] = 1 / sqrt(mean over c of x^2 + eps). x, out [rows, d]; a workgroup a row.
const code = `
alias V = vec4<f32>;
struct Params { rows: u32, d: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
${bindings}
var<workgroup> squares: array<f32, ${NORM_LANES}>;
${partialSquares("x")}
${INVERSE_RMS}
@compute @workgroup_size(${NORM_LANES})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let width = p.d / 4u;
  let first = row * width;
  squares[lane] = partialSquares(first, width, lane);
  workgroupBarrier();
  let scale = inverseRms(0u, p.d, p.eps);
  if (lane == 0u) { rinv[row] = scale; }
  for (var c = lane; c < width; c += ${NORM_LANES}u) { out[first + c] = x[first + c] * scale * weight[c]; }
}`;

/** out = x / rms(x) * weight for each row; rinv [rows] is kept. */
export function normLanes(gpu: Gpu, x: Tensor, weight: Tensor, out: Tensor, rinv: Tensor, eps: number): void {
  const { rows, cols: d } = asMatrix(x);
  run(
    gpu,
    { label: "rms_norm_lanes", code: () => code },
    [x, weight, out, rinv],
    { rows, d, eps },
    grid(rows),
  );
}
