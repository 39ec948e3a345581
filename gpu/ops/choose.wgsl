// One thinking or answer step from logits z [rows, ldz]; only columns below `vocab` are real tokens. One workgroup a row.
// mode 0: the most probable token; 1: a token drawn from softmax(z / tau); 2: z becomes p = softmax(z / tau), weights below
// NEGLIGIBLE set to 0, token = argmax.
// info[r] = (slot, rollout, _, position). Token to tokens[slot, column]; stats[slot, column] = (ln p(token) at tau, entropy
// at tau 1, gap between the top two logits, top logit); the token also to chosen[r].
struct Params {
  rows: u32, vocab: u32, ldz: u32, mode: u32, tau: f32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
@group(0) @binding(2) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> chosen: array<u32>;
var<workgroup> first: array<f32, LANES>;
var<workgroup> second: array<f32, LANES>;
var<workgroup> token: array<u32, LANES>;
var<workgroup> sums: array<vec3<f32>, LANES>;
var<workgroup> picked: u32;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var top = -3.0e38;
  var next = -3.0e38;
  var best = lane;
  for (var c = lane; c < p.vocab; c += LANES) {
    let value = z[base + c];
    if (value > top) { next = top; top = value; best = c; } else { next = max(next, value); }
  }
  first[lane] = top;
  second[lane] = next;
  token[lane] = best;
  workgroupBarrier();
  // The lowest token wins a tie; every lane folds in the same order, and so holds the same answer.
  top = first[0];
  next = second[0];
  best = token[0];
  for (var l = 1u; l < min(LANES, p.vocab); l++) {
    if (first[l] > top || (first[l] == top && token[l] < best)) { next = max(top, second[l]); top = first[l]; best = token[l]; }
    else { next = max(next, first[l]); }
  }
  var sum = vec3<f32>();
  for (var c = lane; c < p.vocab; c += LANES) {
    let below = z[base + c] - top;
    let weight = exp(below);
    sum += vec3<f32>(weight, weight * below, exp(below / p.tau));
  }
  sums[lane] = sum;
  workgroupBarrier();
  var all = vec3<f32>();
  for (var l = 0u; l < LANES; l++) { all += sums[l]; }
  if (p.mode == 2u) {
    for (var c = lane; c < p.ldz; c += LANES) {
      var weight = 0.0;
      if (c < p.vocab) { weight = exp((z[base + c] - top) / p.tau) / all.z; }
      z[base + c] = select(weight, 0.0, weight < NEGLIGIBLE);
    }
  }
  if (lane != 0u) { return; }
  let who = info[row];
  var choice = best;
  if (p.mode == 1u) {
    let word = philox(vec4<u32>(0u, who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.domain)).x;
    // Inverse CDF over the lanes' sums, then over one lane's tokens: lane, lane + LANES, ...
    var left = uniform01(word) * all.z;
    var l = 0u;
    var lastLane = 0u;
    for (var i = 0u; i < LANES; i++) { if (sums[i].z > 0.0) { lastLane = i; } }
    loop {
      if (l == lastLane || left < sums[l].z) { break; }
      left -= sums[l].z;
      l++;
    }
    choice = l;
    for (var c = l; c < p.vocab; c += LANES) {
      let weight = exp((z[base + c] - top) / p.tau);
      if (weight > 0.0) { choice = c; }
      if (left < weight) { break; }
      left -= weight;
    }
  }
  var value = 0.0;
  if (p.mode == 1u) { value = z[base + choice] - top; }
  let at = who.x * p.columns + p.column;
  tokens[at] = choice;
  chosen[row] = choice;
  stats[at] = vec4<f32>(value / p.tau - log(all.z), log(all.x) - all.y / all.x, top - next, top);
}
