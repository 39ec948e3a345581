// Softmax and its backward for the mixture m = p E (method: dz = p (u - p . u) / tau, u = E g). z, u [rows, ldz], columns below
// `vocab` real. z becomes p, weights below NEGLIGIBLE set to 0, as in choose.wgsl; u becomes dz, scaled down to norm `clip` where
// it is longer (0: never). stats[r] = (norm of dz before clipping, gap of the top two logits, most probable token, 0). One
// workgroup a row.
struct Params { rows: u32, vocab: u32, ldz: u32, tau: f32, clip: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<f32>;
@group(0) @binding(3) var<storage, read_write> stats: array<vec4<f32>>;
var<workgroup> tops: array<vec2<f32>, LANES>;
var<workgroup> best: array<u32, LANES>;
var<workgroup> sums: array<vec2<f32>, LANES>;
var<workgroup> squares: array<f32, LANES>;
var<workgroup> row_top: vec2<f32>;
var<workgroup> row_token: u32;
var<workgroup> row_sum: vec2<f32>;
var<workgroup> row_square: f32;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var top = vec2<f32>(-3.0e38);
  var token = lane;
  for (var c = lane; c < p.vocab; c += LANES) {
    let value = z[base + c];
    if (value > top.x) { top = vec2<f32>(value, top.x); token = c; } else { top.y = max(top.y, value); }
  }
  tops[lane] = top;
  best[lane] = token;
  workgroupBarrier();
  // One lane folds for all: were it all of them, the software device would fold once a subgroup.
  if (lane == 0u) {
    var all = tops[0];
    var first = best[0];
    for (var l = 1u; l < LANES; l++) {
      if (tops[l].x > all.x || (tops[l].x == all.x && best[l] < first)) {
        all = vec2<f32>(tops[l].x, max(all.x, tops[l].y));
        first = best[l];
      } else { all.y = max(all.y, tops[l].x); }
    }
    row_top = all;
    row_token = first;
  }
  workgroupBarrier();
  top = row_top;
  token = row_token;
  var sum = vec2<f32>(); // weights, weights times u
  for (var c = lane; c < p.vocab; c += LANES) {
    let weight = exp((z[base + c] - top.x) / p.tau);
    sum += vec2<f32>(weight, weight * u[base + c]);
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    var total = vec2<f32>();
    for (var l = 0u; l < LANES; l++) { total += sums[l]; }
    row_sum = total;
  }
  workgroupBarrier();
  let all = row_sum;
  let mean = all.y / all.x;
  var square = 0.0;
  for (var c = lane; c < p.ldz; c += LANES) {
    var weight = 0.0;
    var g = 0.0;
    if (c < p.vocab) {
      weight = exp((z[base + c] - top.x) / p.tau) / all.x;
      weight = select(weight, 0.0, weight < NEGLIGIBLE);
      g = weight * (u[base + c] - mean) / p.tau;
    }
    z[base + c] = weight;
    u[base + c] = g;
    square += g * g;
  }
  squares[lane] = square;
  workgroupBarrier();
  if (lane == 0u) {
    square = 0.0;
    for (var l = 0u; l < LANES; l++) { square += squares[l]; }
    row_square = square;
  }
  workgroupBarrier();
  let norm = sqrt(row_square);
  if (lane == 0u) { stats[row] = vec4<f32>(norm, top.x - top.y, f32(token), 0.0); }
  if (p.clip > 0.0 && norm > p.clip) {
    for (var c = lane; c < p.vocab; c += LANES) { u[base + c] *= p.clip / norm; }
  }
}
