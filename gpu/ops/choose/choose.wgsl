// One thinking or answer step from logits z [rows, ldz]; only columns below `vocab` are real tokens. The passes over a row are in
// choose_scalar.wgsl and choose_u64.wgsl, which sum in the same order: a lane takes columns lane, lane + LANES, ...
// mode 0: the most probable token; 1: a token drawn from softmax(z / tau); 2: z becomes p = softmax(z / tau), weights below
// NEGLIGIBLE set to 0, token = argmax.
// info[r] = (row, rollout, _, position). Token to tokens[row, column]; stats[row, column] = (ln p(token) at tau, entropy
// at tau 1, gap between the top two logits, top logit); the token also to chosen[r]. What another kernel does with the row beside this
// is its function `further`, called by all MEMBERS invocations of the row; its fields come last in Params.
struct Params {
  rows: u32, vocab: u32, ldz: u32, mode: u32, tau: f32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32,MORE_FIELDS
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> chosen: array<u32>;
struct Top { first: f32, second: f32, token: u32 }
// What the lanes of a row have found, and the row's whole. Sums are of weights at tau 1, of these times logits, of weights at tau.
var<LANE_MEMORY> tops: array<Top, LANES>;
var<LANE_MEMORY> sums: array<vec3<f32>, LANES>;
var<LANE_MEMORY> row_top: Top;
var<LANE_MEMORY> row_sum: vec3<f32>;
// One lane folds for all: were it all of them, the software device would fold once a subgroup. The lowest token wins a tie.
fn highest() -> Top {
  var all = tops[0];
  for (var l = 1u; l < min(LANES, p.vocab); l++) {
    let found = tops[l];
    if (found.first > all.first || (found.first == all.first && found.token < all.token)) {
      all = Top(found.first, max(all.first, found.second), found.token);
    } else { all.second = max(all.second, found.first); }
  }
  return all;
}
fn total() -> vec3<f32> {
  var all = vec3<f32>();
  for (var l = 0u; l < LANES; l++) { all += sums[l]; }
  return all;
}
// A token at tau, by the inverse CDF over the lanes' sums, then over one lane's tokens: lane, lane + LANES, ...
fn drawn(who: vec4<u32>, draw: u32, base: u32) -> u32 {
  let word = philox(vec4<u32>(draw, who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.domain)).x;
  // At least 0 as it is: `max` keeps a compiler from one fma of this product and what is taken off it.
  var left = max(uniform01(word) * row_sum.z, 0.0);
  var l = 0u;
  var lastLane = 0u;
  for (var i = 0u; i < LANES; i++) { if (sums[i].z > 0.0) { lastLane = i; } }
  loop {
    if (l == lastLane || left < sums[l].z) { break; }
    left -= sums[l].z;
    l++;
  }
  var choice = l;
  for (var c = l; c < p.vocab; c += LANES) {
    let weight = exp((logit(base + c) - row_top.first) / p.tau);
    if (weight > 0.0) { choice = c; }
    if (left < weight) { break; }
    left -= weight;
  }
  return choice;
}
// Draws the token where that is asked for, and stores the step's results.
fn finish(row: u32, base: u32) {
  let top = row_top.first;
  let all = row_sum;
  let who = info[row];
  var choice = row_top.token;
  if (p.mode == 1u) { choice = drawn(who, 0u, base); }
  var value = 0.0;
  if (p.mode == 1u) { value = logit(base + choice) - top; }
  let at = who.x * p.columns + p.column;
  tokens[at] = choice;
  chosen[row] = choice;
  stats[at] = vec4<f32>(value / p.tau - log(all.z), log(all.x) - all.y / all.x, top - row_top.second, top);
}
