// out[r] = root mean square over d of (a[r] - b[r]) / unit. a, b [rows, d], d a multiple of 4. One subgroup a row.
struct Params { rows: u32, d: u32, unit: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let width = p.d / 4u;
  var square = 0.0;
  for (var c = lane; c < width; c += S) {
    let off = a[row * width + c] - b[row * width + c];
    square += dot(off, off);
  }
  let total = subgroupAdd(square);
  if (lane == 0u) { out[row] = sqrt(total / f32(p.d)) / p.unit; }
}
