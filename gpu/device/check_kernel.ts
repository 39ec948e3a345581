import type { KernelSource } from "../kernel.ts";
import { loadWords, wordArray } from "../ops/wgsl/load_words.ts";

/** Workgroups of {@link checkKernel}: so many that all processors of a large GPU have some. */
export const CHECK_GROUPS = 256;

/** Lanes whose numbers {@link checkKernel} hands round: the first, the last, and those on both sides of the middle. */
export const handedLanes = (lanes: number): number[] => [
  ...new Set([0, lanes / 2 - 1, lanes / 2, lanes - 1]),
];

/**
 * What other kernels do, in small. A workgroup of `lanes` is one subgroup: x [4 lanes] goes one vec4 a lane, and those of the handed lanes to
 * all by subgroupBroadcast; w [columns, 4 handed], a row a lane, comes as f32, as packed f16, and by the widest loads there are.
 * found [columns, 4] = (lane, size of the subgroup, sum over it of index + 1, the last lane's index);
 * sums [columns, 4] = (handed x . w of each of the three, the lane's first number of x / rms(x)).
 */
export function checkKernel(lanes: number, u64: boolean): KernelSource {
  const handed = handedLanes(lanes);
  const vec4s = handed.length;
  const words = u64 ? 8 : 4;
  const wide = loadWords("wide", "wide", `column * ${vec4s * 4 / words}u`, vec4s * 4, words, u64);
  const step = (lane: number, t: number) => `
  let v${t} = subgroupBroadcast(own, ${lane}u);
  let h${t} = half[column * ${vec4s}u + ${t}u];
  plain = fma(v${t}, w[column * ${vec4s}u + ${t}u], plain);
  packed = fma(v${t}, vec4<f32>(unpack2x16float(h${t}.x), unpack2x16float(h${t}.y)), packed);
  wider = fma(v${t}, bitcast<vec4<f32>>(vec4<u32>(${
    wide.words.slice(4 * t, 4 * t + 4).join(", ")
  })), wider);`;
  const code = () => `
struct Params { eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> half: array<vec2<u32>>; // w again
@group(0) @binding(4) var<storage, read> wide: ${wordArray(words, u64)}; // w again
@group(0) @binding(5) var<storage, read_write> found: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> sums: array<vec4<f32>>;
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) index: u32, @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) size: u32) {
  let column = wg.x * ${lanes}u + index;
  found[column] = vec4<u32>(lane, size, subgroupAdd(index + 1u), subgroupBroadcast(index, ${lanes - 1}u));
  let own = x[lane];
  var plain = vec4<f32>(); var packed = vec4<f32>(); var wider = vec4<f32>();
${wide.text}
${handed.map(step).join("")}
  let scale = 1.0 / sqrt(subgroupAdd(dot(own, own)) / ${4 * lanes}.0 + p.eps);
  let one = vec4<f32>(1.0);
  sums[column] = vec4<f32>(dot(plain, one), dot(packed, one), dot(wider, one), own.x * scale);
}`;
  return { label: "check_device", code };
}
