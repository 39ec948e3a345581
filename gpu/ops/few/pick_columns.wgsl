// out[r, j] = z[r, ids[r, j]]: z [rows, ld], ids u32 and out [rows, k]. S invocations a workgroup, a number each.
struct Params { rows: u32, ld: u32, k: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.y * n.x + wg.x) * S + lane;
  if (at >= p.rows * p.k) { return; }
  out[at] = z[(at / p.k) * p.ld + ids[at]];
}
