// The step of a way that weighs a few tokens: the k largest logits of each row, descending (equal ones by ascending id), ln of their softmax
// at tau among themselves, and what the way's `finish` makes of these. z [rows, ldz], columns below `vocab` real; ids u32 [rows, k],
// logp, out [rows, k]; info[r] = (row, rollout, _, position), position counted `shift` further. k is at most MOST_FEW and `vocab`.
// One workgroup a row. Each lane offers the best of its columns lane, lane + LANES, ... that is not taken; the one that is taken looks
// for its next.
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> ids: array<u32>;
@group(0) @binding(4) var<storage, read_write> logp: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;
@group(0) @binding(6) var<storage, read_write> tokens: array<u32>;
struct Offer { value: f32, column: u32 }
const NOTHING = Offer(-3.4e38, 0xffffffffu);
var<workgroup> offers: array<Offer, LANES>;
var<workgroup> taken: Offer;
/// The step's token, tokens[row, column], is the one with the largest weight: the first of equal ones.
fn mark(row: u32) {
  var best = row * p.k;
  for (var at = row * p.k; at < (row + 1u) * p.k; at++) { if (out[at] > out[best]) { best = at; } }
  tokens[info[row].x * p.columns + p.column] = ids[best];
}
/// Words of token j of a row, by its id and not by its rank; `attempt` tells draws of one token apart (ids stay below 2^20).
fn words(row: u32, j: u32, attempt: u32) -> vec4<u32> {
  let who = info[row];
  return philox(vec4<u32>(ids[row * p.k + j] | (attempt << 20u), who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.domain));
}
fn gaussian(w: vec2<u32>) -> f32 { return sqrt(-2.0 * log(uniform01(w.x))) * cos(6.283185307179586f * uniform01(w.y)); }
fn before(a: Offer, b: Offer) -> bool { return a.value > b.value || (a.value == b.value && a.column < b.column); }
fn offerAfter(last: Offer, base: u32, lane: u32) -> Offer {
  var best = NOTHING;
  for (var c = lane; c < p.vocab; c += LANES) {
    let one = Offer(z[base + c], c);
    if (before(last, one) && before(one, best)) { best = one; }
  }
  return best;
}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var own = offerAfter(Offer(3.4e38, 0u), base, lane);
  for (var j = 0u; j < p.k; j++) {
    offers[lane] = own;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half && before(offers[lane + half], offers[lane])) { offers[lane] = offers[lane + half]; }
    }
    if (lane == 0u) {
      taken = offers[0];
      ids[row * p.k + j] = min(taken.column, p.vocab - 1u); // none is taken of logits that are no numbers
      logp[row * p.k + j] = taken.value;
    }
    workgroupBarrier();
    if (taken.column == own.column) { own = offerAfter(own, base, lane); }
    workgroupBarrier();
  }
  if (lane != 0u) { return; }
  let top = logp[row * p.k];
  var sum = 0.0;
  for (var j = 0u; j < p.k; j++) { sum += exp((logp[row * p.k + j] - top) / p.tau); }
  let all = log(sum);
  for (var j = 0u; j < p.k; j++) { logp[row * p.k + j] = (logp[row * p.k + j] - top) / p.tau - all; }
  finish(row);
}
