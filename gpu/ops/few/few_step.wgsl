// The step of a way that weighs a few tokens, after a greedy choice (choose.wgsl): the k largest logits of each row, descending (equal ones
// by ascending id), ln of their softmax at tau among themselves, and what the way's `weigh` makes of these. ids u32 [rows, k], weights,
// scores [rows, k]; scores only where `score` is not 0. random 0: without noise. k is at most MOST_FEW and `vocab`.
// The tokens are found as in largest.wgsl. Token j is member j % MEMBERS's.
@group(0) @binding(6) var<storage, read_write> ids: array<u32>;
@group(0) @binding(7) var<storage, read_write> weights: array<f32>;
@group(0) @binding(8) var<storage, read_write> scores: array<f32>;
var<LANE_MEMORY> few_logp: array<f32, MOST_FEW>;
var<LANE_MEMORY> few_score: array<f32, MOST_FEW>;
/// The largest of few_weight, and ln of the sum of exp((few_weight - largest) / temperature).
fn normaliser(temperature: f32) -> vec2<f32> {
  barrier();
  var top = few_weight[0];
  for (var j = 1u; j < p.k; j++) { top = max(top, few_weight[j]); }
  var sum = 0.0;
  for (var j = 0u; j < p.k; j++) { sum += exp((few_weight[j] - top) / temperature); }
  barrier();
  return vec2<f32>(top, log(sum));
}
fn totalScore() -> f32 {
  barrier();
  var sum = 0.0;
  for (var j = 0u; j < p.k; j++) { sum += few_score[j]; }
  barrier();
  return sum;
}
/// Words of token j of a row, by its id and not by its rank; `attempt` tells draws of one token apart (ids stay below 2^20).
fn words(who: vec4<u32>, j: u32, attempt: u32) -> vec4<u32> {
  return philox(vec4<u32>(few_ids[j] | (attempt << 20u), who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.domain));
}
fn gaussian(w: vec2<u32>) -> f32 { return sqrt(-2.0 * log(uniform01(w.x))) * cos(6.283185307179586f * uniform01(w.y)); }
fn further(row: u32, base: u32, member: u32, live: bool) {
  let who = info[row];
  takeLargest(base, member);
  let all = normaliser(p.tau);
  for (var j = member; j < p.k; j += MEMBERS) { few_logp[j] = (few_weight[j] - all.x) / p.tau - all.y; }
  weigh(who, member);
  barrier();
  if (!live) { return; }
  for (var j = member; j < p.k; j += MEMBERS) {
    ids[row * p.k + j] = few_ids[j];
    weights[row * p.k + j] = few_weight[j];
    if (p.score != 0u) { scores[row * p.k + j] = few_score[j]; }
  }
  // The step's token is the one with the largest weight: the first of equal ones.
  if (member != 0u) { return; }
  var heaviest = 0u;
  for (var j = 1u; j < p.k; j++) { if (few_weight[j] > few_weight[heaviest]) { heaviest = j; } }
  tokens[who.x * p.columns + p.column] = few_ids[heaviest];
}
