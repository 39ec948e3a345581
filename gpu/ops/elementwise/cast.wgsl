// out[toAt + i] = x[fromAt + 2 i] and x[2 i + 1] rounded to f16 and packed. x [2 words], out [words].
struct Params { words: u32, fromAt: u32, toAt: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * LANES + lane;
  if (i < p.words) { out[p.toAt + i] = pack2x16float(vec2<f32>(x[p.fromAt + 2u * i], x[p.fromAt + 2u * i + 1u])); }
}
