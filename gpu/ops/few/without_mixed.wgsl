// out[r] = factor[r], but 0 where the row's step mixes (mixed_step.wgsl): factor, out [rows]. info[r] = (_, rollout, _, position). A row an
// invocation.
struct Params { rows: u32, shift: u32, seed: u32, domain: u32, step: u32, rho: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (wg.y * n.x + wg.x) * 64u + lane;
  if (row >= p.rows) { return; }
  out[row] = select(factor[row], 0.0, mixes(row));
}
