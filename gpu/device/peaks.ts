import type { Gpu } from "../gpu.ts";
import { run } from "../kernel.ts";
import type { Tensor } from "../tensor.ts";

// Sums that do not depend on one another hide the latency of each; 1,024 iterations stay far below any loop limit.
const SUMS = 16;
const ITERATIONS = 1024;
const LANES = 64;

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/**
 * Multiply-adds alone: out [invocations], a multiple of 64. Each invocation keeps 16 sums and adds to each 1,024 times.
 * @returns floating-point operations of the dispatch
 */
export function multiplyAdds(gpu: Gpu, out: Tensor, seed: number): number {
  const count = out.shape[0];
  const code = () => `
struct Params { seed: f32, count: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = p.seed + f32(id.x) * 1e-9;
  ${range(SUMS).map((i) => `var s${i} = x + ${i}.0;`).join(" ")}
  for (var t = 0u; t < ${ITERATIONS}u; t++) {
    ${range(SUMS).map((i) => `s${i} = fma(s${i}, x, 0.5);`).join(" ")}
  }
  if (id.x < p.count) { out[id.x] = ${range(SUMS).map((i) => `s${i}`).join(" + ")}; }
}`;
  run(gpu, { label: "peak_multiply_add", code }, [out], { seed, count }, [Math.ceil(count / LANES)]);
  return 2 * SUMS * ITERATIONS * count;
}

/**
 * Copies x to y, both of the same size, four numbers a load.
 * @returns bytes read and written
 */
export function copyAll(gpu: Gpu, x: Tensor, y: Tensor): number {
  const vectors = x.shape.reduce((product, n) => product * n, 1) / 4;
  const groups = Math.min(4096, Math.ceil(vectors / LANES));
  const code = () => `
struct Params { count: u32, stride: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  for (var i = id.x; i < p.count; i += p.stride) { y[i] = x[i]; }
}`;
  run(gpu, { label: "peak_copy", code }, [x, y], { count: vectors, stride: groups * LANES }, [groups]);
  return vectors * 32;
}
