// Gumbel weights of a few tokens (SofT-GRPO, arXiv 2511.06411): g = ln p^ + G, G = -ln x, x = -ln u.
// mode 0: out = softmax(g / temperature); 1: out = d ln pi / dz of the density of these weights, s_j = 1 - k x_j / sum x; 2: of the density
// of g, s_j = 1 - x_j, out = (s_j - p^_j sum s) / tau. published 1: ln p^ is ln(p^ + 1e-6), G is clamped to [-1.5, 3], and the score is
// the mean of mode 2's terms over tokens with ln p^ > -3. random 0: G = 0. See few_step.wgsl.
struct Params {
  rows: u32, vocab: u32, ldz: u32, k: u32, mode: u32, random: u32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32, tau: f32,
  temperature: f32, published: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
const SHIFT = 1e-6;
fn exponential(row: u32, j: u32) -> f32 {
  if (p.random == 0u) { return 1.0; }
  // u is 1 once in 2^24 draws, by rounding: x stays above 0.
  let x = max(-log(uniform01(words(row, j, 0u).x)), 0x1p-25);
  return select(x, clamp(x, exp(-3.0), exp(1.5)), p.published == 1u);
}
fn shifted(at: u32) -> f32 { return select(logp[at], log(exp(logp[at]) + SHIFT), p.published == 1u); }
fn finish(row: u32) {
  let base = row * p.k;
  if (p.mode == 0u) {
    var top = -3.0e38;
    for (var j = 0u; j < p.k; j++) {
      let g = shifted(base + j) - log(exponential(row, j));
      out[base + j] = g;
      top = max(top, g);
    }
    var sum = 0.0;
    for (var j = 0u; j < p.k; j++) {
      let weight = exp((out[base + j] - top) / p.temperature);
      out[base + j] = weight;
      sum += weight;
    }
    for (var j = 0u; j < p.k; j++) { out[base + j] /= sum; }
    mark(row);
    return;
  }
  var sum = 0.0;
  var count = 0.0;
  for (var j = 0u; j < p.k; j++) {
    out[base + j] = exponential(row, j);
    sum += out[base + j];
    if (shifted(base + j) > -3.0) { count += 1.0; }
  }
  var terms = 0.0;
  for (var j = 0u; j < p.k; j++) {
    let x = out[base + j];
    var s = select(1.0 - x, 1.0 - f32(p.k) * x / sum, p.mode == 1u);
    if (p.published == 1u) {
      let probability = exp(logp[base + j]);
      s = select(0.0, s / count * probability / (probability + SHIFT), shifted(base + j) > -3.0);
    }
    out[base + j] = s;
    terms += s;
  }
  // The terms of mode 1 sum to 0, but for rounding.
  if (p.mode == 1u) { terms = 0.0; }
  for (var j = 0u; j < p.k; j++) { out[base + j] = (out[base + j] - exp(logp[base + j]) * terms) / p.tau; }
}
