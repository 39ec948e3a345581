import type { Gpu } from "../../gpu.ts";
import { grid, type KernelSource, run } from "../../kernel.ts";
import type { Matrix } from "../../matrix.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import { lines } from "../wgsl/text.ts";

// Values that one workgroup sums: 1,024 for each of its 64 lanes.
const BLOCK = 64 * 1024;
const LANES = 64;

// Arrays of one dispatch. All write into one buffer, so that a device takes dispatches one after the other.
const ARRAYS = 8;

/** The end of both kernels: the workgroup's sum, lane by lane. */
const SUM_OF_LANES = `
  sums[lane] = sum;
  workgroupBarrier();
  if (lane != 0u) { return; }
  sum = 0.0;
  for (var l = 0u; l < ${LANES}u; l++) { sum += sums[l]; }`;

/**
 * partial[offset + b] = sum of x^2 over block b of `count` arrays one after another: block b lies in the last array i whose first
 * block start{i} is at most b.
 */
const sumSquares = (count: number): KernelSource => ({
  label: `sum_squares_${count}`,
  code: () => `
struct Params { offset: u32, blocks: u32, ${lines(count, (i) => `n${i}: u32, start${i}: u32,`)} }
@group(0) @binding(0) var<uniform> p: Params;
${lines(count, (i) => `@group(0) @binding(${i + 1}) var<storage, read> x${i}: array<f32>;`)}
@group(0) @binding(${count + 1}) var<storage, read_write> partial: array<f32>;
var<workgroup> sums: array<f32, ${LANES}>;
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let block = wg.y * n.x + wg.x;
  if (block >= p.blocks) { return; }
  var sum = 0.0;
${
    lines(count, (i) =>
      `  if (block >= p.start${i}${i + 1 < count ? ` && block < p.start${i + 1}` : ""}) {
    let start = (block - p.start${i}) * ${BLOCK}u;
    for (var i = start + lane; i < min(start + ${BLOCK}u, p.n${i}); i += ${LANES}u) {
      sum = fma(x${i}[i], x${i}[i], sum);
    }
  }`)
  }
${SUM_OF_LANES}
  partial[p.offset + block] = sum;
}`,
});

/** norm[1] = the root of the sum of partial [n]. */
const ROOT: KernelSource = {
  label: "root_of_sum",
  code: () => `
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;
var<workgroup> sums: array<f32, ${LANES}>;
@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < p.n; i += ${LANES}u) { sum += partial[i]; }
${SUM_OF_LANES}
  norm[0] = sqrt(sum);
}`,
};

/** norm[1] = the Euclidean norm of all values of all matrices, summed in fixed order. */
export function globalNorm(gpu: Gpu, matrices: readonly Matrix[], norm: Tensor): void {
  const chunks = matrices.flatMap((matrix) => matrix.chunks);
  const blocksOf = (chunk: Tensor) => Math.ceil(sizeOf(chunk.shape) / BLOCK);
  const count = chunks.reduce((sum, chunk) => sum + blocksOf(chunk), 0);
  using scratch = gpu.arena.scratch();
  const partial = scratch.f32([count], "norm partial");
  let offset = 0;
  for (let first = 0; first < chunks.length; first += ARRAYS) {
    const some = chunks.slice(first, first + ARRAYS);
    const params: Record<string, number> = { offset };
    let blocks = 0;
    some.forEach((chunk, i) => {
      params[`n${i}`] = sizeOf(chunk.shape);
      params[`start${i}`] = blocks;
      blocks += blocksOf(chunk);
    });
    run(gpu, sumSquares(some.length), [...some, partial], { ...params, blocks }, grid(blocks));
    offset += blocks;
  }
  run(gpu, ROOT, [partial, norm], { n: count }, [1]);
}
