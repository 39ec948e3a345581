// The score of k tokens drawn one apart from another from p = softmax(z / tau): w [rows, ldz], p as `choose` makes it, becomes
// dz = factor[r] (sum over j of 1[column = ids[r, j]] - k p) / tau, scaled down to the norm `clip` where it is longer (0: never).
// ids u32 [rows, k]; stats[r] = (the norm before, the number
// `choose` left of the row in `chosen`, the first id, 0). One workgroup a row, a lane the columns lane, lane + LANES, ...
struct Params { rows: u32, vocab: u32, ldz: u32, k: u32, tau: f32, clip: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> factor: array<f32>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> chosen: array<vec4<f32>>;
var<workgroup> squares: array<f32, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  let each = factor[row] / p.tau;
  var square = 0.0;
  for (var c = lane; c < p.vocab; c += LANES) {
    let g = -each * f32(p.k) * w[base + c];
    w[base + c] = g;
    square += g * g;
  }
  for (var j = 0u; j < p.k; j++) {
    let id = ids[row * p.k + j];
    if (id % LANES != lane) { continue; }
    let g = w[base + id];
    w[base + id] = g + each;
    square += (g + each) * (g + each) - g * g;
  }
  squares[lane] = square;
  workgroupBarrier();
  var all = 0.0;
  for (var i = 0u; i < LANES; i++) { all += squares[i]; }
  let norm = sqrt(max(all, 0.0));
  if (lane == 0u) { stats[row] = vec4<f32>(norm, chosen[info[row].x].x, f32(ids[row * p.k]), 0.0); }
  if (p.clip <= 0.0 || norm <= p.clip) { return; }
  for (var c = lane; c < p.vocab; c += LANES) { w[base + c] *= p.clip / norm; }
}
