// k tokens of each row, drawn one apart from another from weights w [rows, ldz] (columns below `vocab` real; need not sum to 1), by a
// uniform number each: first the lane by the lanes' sums, then the token among lane, lane + LANES, ... ids u32 [rows, k]; values [rows, k] = 1 / k, or
// with weighted 1 w[id_j] / sum over the k of w[id_l].
// The first id also to tokens[row, column]. info[r] = (row, rollout, _, position). One workgroup a row.
struct Params {
  rows: u32, vocab: u32, ldz: u32, k: u32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32, weighted: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> ids: array<u32>;
@group(0) @binding(5) var<storage, read_write> values: array<f32>;
var<workgroup> sums: array<f32, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var own = 0.0;
  for (var c = lane; c < p.vocab; c += LANES) { own += w[base + c]; }
  sums[lane] = own;
  workgroupBarrier();
  let who = info[row];
  var total = 0.0;
  for (var i = 0u; i < LANES; i++) { total += sums[i]; }
  var last = 0u;
  for (var i = 0u; i < LANES; i++) { if (sums[i] > 0.0) { last = i; } }
  for (var j = lane; j < p.k; j += LANES) {
    let u = uniform01(philox(vec4<u32>(j, who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.domain)).x);
    var rest = u * total;
    // The last lane with any weight, and in it the last token with any, where rounding leaves something over.
    var home = 0u;
    for (var i = 0u; i < LANES; i++) {
      if (sums[i] <= 0.0) { continue; }
      home = i;
      if (i == last || rest < sums[i]) { break; }
      rest -= sums[i];
    }
    var token = home;
    for (var c = home; c < p.vocab; c += LANES) {
      let weight = w[base + c];
      if (weight <= 0.0) { continue; }
      token = c;
      if (rest < weight) { break; }
      rest -= weight;
    }
    ids[row * p.k + j] = token;
    values[row * p.k + j] = 1.0 / f32(p.k);
    if (j == 0u) { tokens[who.x * p.columns + p.column] = token; }
  }
  if (p.weighted == 0u) { return; }
  storageBarrier();
  for (var j = lane; j < p.k; j += LANES) {
    var sum = 0.0;
    for (var i = 0u; i < p.k; i++) { sum += w[base + ids[row * p.k + i]]; }
    values[row * p.k + j] = w[base + ids[row * p.k + j]] / sum;
  }
}
