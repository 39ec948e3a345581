// out[r] = factor[r], but 0 where the row's step mixes (mixed_top.wgsl): factor, out [rows], top u32 [rows]. A row an invocation.
struct Params { rows: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> top: array<u32>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (wg.y * n.x + wg.x) * 64u + lane;
  if (row >= p.rows) { return; }
  out[row] = select(0.0, factor[row], top[row] == NO_ROW);
}
