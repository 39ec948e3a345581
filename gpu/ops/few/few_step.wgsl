// The step of a way that weighs a few tokens, after a greedy choice (choose.wgsl): the k largest logits of each row, descending (equal ones
// by ascending id), ln of their softmax at tau among themselves, and what the way's `weigh` makes of these. ids u32 [rows, k], weights,
// scores [rows, k]; scores only where `score` is not 0. random 0: without noise. k is at most MOST_FEW and `vocab`.
// The MEMBERS invocations of a row have EACH lanes each; `tops` holds the best of each lane that is not taken. Token j is member j % MEMBERS's.
@group(0) @binding(6) var<storage, read_write> ids: array<u32>;
@group(0) @binding(7) var<storage, read_write> weights: array<f32>;
@group(0) @binding(8) var<storage, read_write> scores: array<f32>;
const EACH = LANES / MEMBERS;
struct Offer { value: f32, column: u32 }
const NOTHING = Offer(-3.4e38, 0xffffffffu);
var<LANE_MEMORY> offers: array<Offer, MEMBERS>;
var<LANE_MEMORY> few_ids: array<u32, MOST_FEW>;
var<LANE_MEMORY> few_logp: array<f32, MOST_FEW>;
var<LANE_MEMORY> few_weight: array<f32, MOST_FEW>;
var<LANE_MEMORY> few_score: array<f32, MOST_FEW>;
fn before(a: Offer, b: Offer) -> bool { return a.value > b.value || (a.value == b.value && a.column < b.column); }
/// The first of what the members offer.
fn bestOf(own: Offer, member: u32) -> Offer {
  offers[member] = own;
  for (var half = MEMBERS / 2u; half > 0u; half /= 2u) {
    barrier();
    if (member < half && before(offers[member + half], offers[member])) { offers[member] = offers[member + half]; }
  }
  barrier();
  let best = offers[0];
  barrier();
  return best;
}
fn bestOfLanes(member: u32) -> Offer {
  var best = NOTHING;
  for (var l = EACH * member; l < EACH * (member + 1u); l++) {
    let one = Offer(tops[l].first, tops[l].token);
    if (before(one, best)) { best = one; }
  }
  return best;
}
/// The best after `last` of a lane's columns, as far as they are this member's to look at: all members look through one lane.
fn bestAfter(last: Offer, lane: u32, base: u32, member: u32) -> Offer {
  var best = NOTHING;
  for (var c = lane + LANES * member; c < p.vocab; c += LANES * MEMBERS) {
    let one = Offer(logit(base + c), c);
    if (before(last, one) && before(one, best)) { best = one; }
  }
  return best;
}
fn takeTokens(base: u32, member: u32) {
  for (var j = 0u; j < p.k; j++) {
    let taken = bestOf(bestOfLanes(member), member);
    if (j % MEMBERS == member) {
      few_ids[j] = min(taken.column, p.vocab - 1u); // none is taken of logits that are no numbers
      few_weight[j] = taken.value;
    }
    if (j + 1u == p.k) { break; }
    let lane = taken.column % LANES;
    let following = bestOf(bestAfter(taken, lane, base, member), member);
    if (lane / EACH == member) { tops[lane] = Top(following.value, following.value, following.column); }
  }
}
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
  takeTokens(base, member);
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
