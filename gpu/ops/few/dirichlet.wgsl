// Dirichlet weights of a few tokens: w ~ Dir(alpha p^), by Gamma draws of shape a = alpha p^ (Marsaglia and Tsang 2000 at shape a + 1, times
// u^(1/a)), in logarithms, since small shapes leave the range of f32. score 1: d ln pi / dz =
// (t_j - p^_j sum t) / tau with t_j = a (ln w_j - psi(a)), summed so that a -> 0 stays finite. random 0: w = p^. See few_step.wgsl.
// More refusals in a row come once in 10^20 draws.
const ATTEMPTS = 16u;
// ln of each token's Gamma draw of shape a + 1; its ln u is where its score will be.
var<LANE_MEMORY> few_draw: array<f32, MOST_FEW>;
fn shape(j: u32) -> f32 { return max(p.alpha * exp(few_logp[j]), 1e-30); }
/// (ln of a Gamma draw of shape a + 1, ln u).
fn gammaDraw(who: vec4<u32>, j: u32, a: f32) -> vec2<f32> {
  let d = a + 2.0 / 3.0;
  let c = 1.0 / sqrt(9.0 * d);
  let first = words(who, j, 0u);
  var w = first;
  var found = log(d);
  for (var attempt = 0u; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0u) { w = words(who, j, attempt); }
    let x = gaussian(w.xy);
    let root = fma(c, x, 1.0);
    if (root <= 0.0) { continue; }
    let v = root * root * root;
    if (log(uniform01(w.z)) < fma(d, log(v), fma(-d, v, fma(0.5 * x, x, d)))) {
      found = log(d * v);
      break;
    }
  }
  return vec2<f32>(found, log(uniform01(first.w)));
}
/// The logarithmic derivative of Gamma, for x from 1 on.
fn psi(from_x: f32) -> f32 {
  var x = from_x;
  var below = 0.0;
  while (x < 6.0) { below += 1.0 / x; x += 1.0; }
  let r = 1.0 / (x * x);
  return fma(-r, fma(-r, 1.0 / 120.0 - r / 252.0, 1.0 / 12.0), log(x) - 0.5 / x) - below;
}
fn weigh(who: vec4<u32>, member: u32) {
  if (p.random == 0u) {
    for (var j = member; j < p.k; j += MEMBERS) { few_weight[j] = exp(few_logp[j]); }
    return;
  }
  for (var j = member; j < p.k; j += MEMBERS) {
    let a = shape(j);
    let draw = gammaDraw(who, j, a);
    few_draw[j] = draw.x;
    few_score[j] = draw.y;
    few_weight[j] = max(draw.x + draw.y / a, -3.0e38);
  }
  let all = normaliser(1.0);
  for (var j = member; j < p.k; j += MEMBERS) { few_weight[j] = exp(few_weight[j] - all.x - all.y); }
  if (p.score == 0u) { return; }
  for (var j = member; j < p.k; j += MEMBERS) {
    let a = shape(j);
    few_score[j] = fma(a, few_draw[j] - all.x - all.y - psi(a + 1.0), few_score[j] + 1.0);
  }
  let sum = totalScore();
  for (var j = member; j < p.k; j += MEMBERS) { few_score[j] = fma(-exp(few_logp[j]), sum, few_score[j]) / p.tau; }
}
