import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import type { Tensor } from "../../tensor.ts";
import type { Heads } from "../heads.ts";

// RMSNorm of heads for GPUs: an invocation sums a head's squares, so that decoding's attention can do the same on its way
// (gpu/ops/rotary/rotary_group.ts), without a subgroup whose sum might be ordered otherwise there.

/** WGSL of `headScale(at)`: 1 / rms of the `vectors` vectors of four that `load(i)` gives, i from `at` on. */
export const headScale = (vectors: number, eps: string, load: (i: string) => string): string => `
fn headScale(at: u32) -> f32 {
  var sums = vec4<f32>();
  for (var i = at; i < at + ${vectors}u; i++) { let v = ${load("i")}; sums = fma(v, v, sums); }
  return 1.0 / sqrt(fma((sums.x + sums.y) + (sums.z + sums.w), 1.0 / ${vectors * 4}.0, ${eps}));
}`;

/** Whether heads of this size are normed so. */
export const suitsHeadNormRow = (gpu: Gpu, { headDim }: Pick<Heads, "headDim">): boolean =>
  gpu.matmulFamily === "tile" && headDim % 8 === 0;

// As head_norm.wgsl: x, out [rows, (heads + 2 kvHeads) hd]; weights qw, kw [hd]; V copied. An invocation a head.
const code = (headDim: number) => `
struct Params { rows: u32, heads: u32, kvHeads: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> qw: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> kw: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;
const HQ = ${headDim / 4}u;
const LANES = 64u;
${headScale(headDim / 4, "p.eps", (i) => `x[${i}]`)}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (wg.y * n.x + wg.x) * LANES + lane;
  let all = p.heads + 2u * p.kvHeads;
  if (item >= p.rows * all) { return; }
  let head = item % all;
  let at = item * HQ;
  if (head >= p.heads + p.kvHeads) {
    for (var c = 0u; c < HQ; c++) { out[at + c] = x[at + c]; }
    return;
  }
  let scale = headScale(at);
  for (var c = 0u; c < HQ; c++) { out[at + c] = x[at + c] * scale * select(kw[c], qw[c], head < p.heads); }
}`;

/** out of `headNorm`, which has checked the shapes of x and out. */
export function headNormRow(
  gpu: Gpu,
  { heads, kvHeads, headDim }: Heads,
  [x, qw, kw, out]: readonly Tensor[],
  rows: number,
  eps: number,
): void {
  run(
    gpu,
    { label: `head_norm_row_${headDim}`, code: () => code(headDim) },
    [x, qw, kw, out],
    { rows, heads, kvHeads, eps },
    grid(Math.ceil(rows * (heads + 2 * kvHeads) / 64)),
  );
}
