import { lines } from "../../wgsl/text.ts";
import type { KernelSource } from "../../../kernel.ts";

/** Columns of a workgroup of {@link addSegments}. */
export const ADDED_COLUMNS = 32;
const LOADERS = 8;
// Segments of a loader.
const EACH = 8;

/**
 * Second half of `splitNN`: C[m, n] (+)= the sums of segments in ascending order. One thread adds up a column, and 256 bring it
 * 64 segments at a time, since loads one after another would take longer than the product.
 */
export function addSegments(accumulate: boolean, sparse: boolean): KernelSource {
  const block = LOADERS * EACH;
  const load = (i: number) =>
    `    { let segment = start + loader * ${EACH}u + ${i}u;
      var value = 0.0;
      if (segment < p.segments && col < p.n${
      sparse ? " && used[segment * p.groups + wg.y / p.rows] != 0u" : ""
    }) {
        value = sums[(segment * p.m + wg.y) * p.n + col];
      }
      staged[(loader * ${EACH}u + ${i}u) * ${ADDED_COLUMNS}u + lane] = value; }`;
  return {
    label: `matmul_add_segments${sparse ? "_sparse" : ""}${accumulate ? "_add" : ""}`,
    code: () => `
struct Params { m: u32, n: u32, ldc: u32, cOff: u32, segments: u32, rows: u32, groups: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
${sparse ? "@group(0) @binding(3) var<storage, read> used: array<u32>;" : ""}
var<workgroup> staged: array<f32, ${block * ADDED_COLUMNS}>;
@compute @workgroup_size(${ADDED_COLUMNS * LOADERS})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let lane = thread % ${ADDED_COLUMNS}u;
  let loader = thread / ${ADDED_COLUMNS}u;
  let col = wg.x * ${ADDED_COLUMNS}u + lane;
  let indexC = p.cOff + wg.y * p.ldc + col;
  let mine = loader == 0u && col < p.n;
  var total = 0.0;
  ${accumulate ? "if (mine) { total = c[indexC]; }" : ""}
  for (var start = 0u; start < p.segments; start += ${block}u) {
${lines(EACH, load)}
    workgroupBarrier();
    if (loader == 0u) {
      for (var i = 0u; i < min(${block}u, p.segments - start); i++) { total += staged[i * ${ADDED_COLUMNS}u + lane]; }
    }
    workgroupBarrier();
  }
  if (mine) { c[indexC] = total; }
}`,
  };
}
