// The score of k tokens drawn one apart from another from p = softmax(z / tau): z [rows, ldz] becomes
// dz = factor[r] (sum over j of 1[column = ids[r, j]] - k p) / tau, scaled down to the norm `clip` where it is longer (0: never).
// Columns from `vocab` on become 0. ids u32 [rows, k]; stats[r] = (the norm before, the number
// `choose` left of the row in `chosen`, the first id, 0). One workgroup a row, a lane the columns lane, lane + LANES, ...
struct Params { rows: u32, vocab: u32, ldz: u32, k: u32, tau: f32, clip: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> factor: array<f32>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> chosen: array<vec4<f32>>;
var<workgroup> shared_values: array<f32, LANES>;
fn gathered(lane: u32, own: f32, largest: bool) -> f32 {
  workgroupBarrier();
  shared_values[lane] = own;
  workgroupBarrier();
  var all = shared_values[0];
  for (var i = 1u; i < LANES; i++) { all = select(all + shared_values[i], max(all, shared_values[i]), largest); }
  return all;
}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var top = -3.0e38;
  for (var c = lane; c < p.vocab; c += LANES) { top = max(top, z[base + c]); }
  top = gathered(lane, top, true);
  var sum = 0.0;
  for (var c = lane; c < p.vocab; c += LANES) { sum += exp((z[base + c] - top) / p.tau); }
  sum = gathered(lane, sum, false);
  let each = factor[row] / p.tau;
  for (var c = lane; c < p.ldz; c += LANES) {
    z[base + c] = select(0.0, -each * f32(p.k) * exp((z[base + c] - top) / p.tau) / sum, c < p.vocab);
  }
  for (var j = 0u; j < p.k; j++) {
    let id = ids[row * p.k + j];
    if (id % LANES == lane) { z[base + id] += each; }
  }
  var square = 0.0;
  for (var c = lane; c < p.vocab; c += LANES) { square += z[base + c] * z[base + c]; }
  let norm = sqrt(gathered(lane, square, false));
  if (lane == 0u) { stats[row] = vec4<f32>(norm, chosen[info[row].x].x, f32(ids[row * p.k]), 0.0); }
  if (p.clip <= 0.0 || norm <= p.clip) { return; }
  for (var c = lane; c < p.vocab; c += LANES) { z[base + c] *= p.clip / norm; }
}
