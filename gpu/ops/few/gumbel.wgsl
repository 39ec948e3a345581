// Gumbel weights of a few tokens (SofT-GRPO, arXiv 2511.06411): g = ln p^ + G, G = -ln x, x = -ln u; weights softmax(g / temperature).
// score 1: d ln pi / dz of the density of these weights, s_j / tau, s_j = 1 - k x_j / sum x. published 1: ln p^ is ln(p^ + 1e-6), G is
// clamped to [-1.5, 3], and the score is that of the density of g, s_j = 1 - x_j, (s_j - p^_j sum s) / tau, as the mean over tokens with
// ln p^ > -3 alone. random 0: G = 0. See few_step.wgsl.
const SHIFT = 1e-6;
fn exponential(who: vec4<u32>, j: u32) -> f32 {
  if (p.random == 0u) { return 1.0; }
  // u is 1 once in 2^24 draws, by rounding: x stays above 0.
  let x = max(-log(uniform01(words(who, j, 0u).x)), 0x1p-25);
  return select(x, clamp(x, exp(-3.0), exp(1.5)), p.published == 1u);
}
fn shifted(j: u32) -> f32 { return select(few_logp[j], log(exp(few_logp[j]) + SHIFT), p.published == 1u); }
fn weigh(who: vec4<u32>, member: u32) {
  for (var j = member; j < p.k; j += MEMBERS) {
    let x = exponential(who, j);
    few_score[j] = x;
    few_weight[j] = shifted(j) - log(x);
  }
  let all = normaliser(p.temperature);
  for (var j = member; j < p.k; j += MEMBERS) { few_weight[j] = exp((few_weight[j] - all.x) / p.temperature - all.y); }
  if (p.score == 0u) { return; }
  if (p.published == 1u) {
    publishedScore(member);
    return;
  }
  let sum = totalScore();
  for (var j = member; j < p.k; j += MEMBERS) { few_score[j] = (1.0 - f32(p.k) * few_score[j] / sum) / p.tau; }
}
fn publishedScore(member: u32) {
  var count = 0.0;
  for (var j = 0u; j < p.k; j++) { if (shifted(j) > -3.0) { count += 1.0; } }
  for (var j = member; j < p.k; j += MEMBERS) {
    let probability = exp(few_logp[j]);
    let s = (1.0 - few_score[j]) / count * probability / (probability + SHIFT);
    few_score[j] = select(0.0, s, shifted(j) > -3.0);
  }
  let sum = totalScore();
  for (var j = member; j < p.k; j += MEMBERS) { few_score[j] = fma(-exp(few_logp[j]), sum, few_score[j]) / p.tau; }
}
