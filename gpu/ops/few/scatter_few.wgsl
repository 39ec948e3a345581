// out [rows, ldz] becomes 0 but for out[r, ids[r, j]] += factor[r] * values[r, j], j ascending (an id may come twice), scaled down to the
// norm `clip` where the row's is longer (0: never). ids u32 [rows, k], values [rows, k]; stats[r] = (the norm before, 0, the first id, 0). One workgroup a row,
// a lane the columns lane, lane + LANES, ...
struct Params { rows: u32, ldz: u32, k: u32, clip: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> factor: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> stats: array<vec4<f32>>;
var<workgroup> squares: array<f32, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  for (var c = lane; c < p.ldz; c += LANES) { out[base + c] = 0.0; }
  for (var j = 0u; j < p.k; j++) {
    let id = ids[row * p.k + j];
    if (id % LANES == lane) { out[base + id] += factor[row] * values[row * p.k + j]; }
  }
  // The square of what stands in a column, once for each id, whichever times it comes.
  var square = 0.0;
  for (var j = 0u; j < p.k; j++) {
    let id = ids[row * p.k + j];
    if (id % LANES != lane) { continue; }
    var first = true;
    for (var i = 0u; i < j; i++) { first = first && ids[row * p.k + i] != id; }
    if (first) { square += out[base + id] * out[base + id]; }
  }
  squares[lane] = square;
  workgroupBarrier();
  var norm = 0.0;
  for (var i = 0u; i < LANES; i++) { norm += squares[i]; }
  norm = sqrt(norm);
  if (lane == 0u) { stats[row] = vec4<f32>(norm, 0.0, f32(ids[row * p.k]), 0.0); }
  if (p.clip <= 0.0 || norm <= p.clip) { return; }
  for (var j = 0u; j < p.k; j++) {
    let id = ids[row * p.k + j];
    var first = id % LANES == lane;
    for (var i = 0u; i < j; i++) { first = first && ids[row * p.k + i] != id; }
    if (first) { out[base + id] *= p.clip / norm; }
  }
}
