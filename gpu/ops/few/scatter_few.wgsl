// out [rows, ldz], zeros before, becomes factor[r] * values[r, j] at ids[r, j], j ascending, added where an id comes twice; a row is scaled down
// to the norm `clip` where its own is longer (0: never). ids u32 [rows, k], values [rows, k]; stats[r] = (the norm before, 0, the first id, 0), the
// norm as of ids that all differ. One invocation a row.
struct Params { rows: u32, ldz: u32, k: u32, clip: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> factor: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> stats: array<vec4<f32>>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (wg.y * n.x + wg.x) * S + lane;
  if (row >= p.rows) { return; }
  let first = row * p.k;
  var square = 0.0;
  for (var at = first; at < first + p.k; at++) { square += values[at] * values[at]; }
  let norm = abs(factor[row]) * sqrt(square);
  stats[row] = vec4<f32>(norm, 0.0, f32(ids[first]), 0.0);
  let scale = factor[row] * select(1.0, p.clip / norm, p.clip > 0.0 && norm > p.clip);
  for (var at = first; at < first + p.k; at++) { out[row * p.ldz + ids[at]] += scale * values[at]; }
}
