// x[i] += y[i mod width], i < n: a bias on every row, or two arrays of one shape.
struct Params { n: u32, width: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * LANES + lane;
  if (i < p.n) { x[i] += y[i % p.width]; }
}
