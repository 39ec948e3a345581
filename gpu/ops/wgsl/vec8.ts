import type { Gpu } from "../../gpu.ts";

/** Lanes of the subgroups that rows of vec8 are laid out for. */
export const VEC8_LANES = 8;

/**
 * Whether kernels of vec8 suit: 64-bit words, and subgroups as narrow as the software device's, where a load or store
 * costs much the same whether it takes 16 bytes or 32. Wider subgroups would leave lanes idle.
 */
export const suitsVec8 = (gpu: Gpu): boolean => gpu.u64Loads && gpu.subgroupSize === VEC8_LANES;

/**
 * WGSL of eight numbers side by side, which a lane loads or stores at once as four pairs of words: `first` and `last` are its
 * vectors of four, `vec8` joins two; `total` is the sum of a vector.
 */
export const VEC8 = `
alias E = vec4<u64>;
fn pair(low: f32, high: f32) -> u64 { return u64(bitcast<u32>(low)) | (u64(bitcast<u32>(high)) << 32u); }
fn vec8(a: vec4<f32>, b: vec4<f32>) -> E {
  return E(pair(a.x, a.y), pair(a.z, a.w), pair(b.x, b.y), pair(b.z, b.w));
}
fn unpair(v: vec2<u64>) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(u32(v.x), u32(v.x >> 32u), u32(v.y), u32(v.y >> 32u)));
}
fn first(v: E) -> vec4<f32> { return unpair(v.xy); }
fn last(v: E) -> vec4<f32> { return unpair(v.zw); }
fn total(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }
`;
