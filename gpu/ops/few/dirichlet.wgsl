// Dirichlet weights of a few tokens: w ~ Dir(alpha p^), by Gamma draws of shape a = alpha p^ (Marsaglia and Tsang 2000 at shape a + 1, times
// u^(1/a)), in logarithms, since small shapes leave the range of f32. mode 0: out = w; 1: out = d ln pi / dz =
// (t_j - p^_j sum t) / tau with t_j = a (ln w_j - psi(a)), summed so that a -> 0 stays finite. random 0: w = p^. See few_step.wgsl.
struct Params {
  rows: u32, vocab: u32, ldz: u32, k: u32, mode: u32, random: u32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32, tau: f32, alpha: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
// More refusals in a row come once in 10^20 draws.
const ATTEMPTS = 16u;
/// (ln of a Gamma draw of shape a + 1, ln u).
fn drawn(row: u32, j: u32, a: f32) -> vec2<f32> {
  let d = a + 2.0 / 3.0;
  let c = 1.0 / sqrt(9.0 * d);
  var found = log(d);
  for (var attempt = 0u; attempt < ATTEMPTS; attempt++) {
    let w = words(row, j, attempt);
    let x = gaussian(w.xy);
    let root = 1.0 + c * x;
    if (root <= 0.0) { continue; }
    let v = root * root * root;
    if (log(uniform01(w.z)) < 0.5 * x * x + d - d * v + d * log(v)) {
      found = log(d * v);
      break;
    }
  }
  return vec2<f32>(found, log(uniform01(words(row, j, 0u).w)));
}
/// The logarithmic derivative of Gamma, for x from 1 on.
fn psi(from_x: f32) -> f32 {
  var x = from_x;
  var below = 0.0;
  while (x < 6.0) { below += 1.0 / x; x += 1.0; }
  let r = 1.0 / (x * x);
  return log(x) - 0.5 / x - r * (1.0 / 12.0 - r * (1.0 / 120.0 - r / 252.0)) - below;
}
fn finish(row: u32) {
  let base = row * p.k;
  if (p.random == 0u) {
    for (var j = 0u; j < p.k; j++) { out[base + j] = exp(logp[base + j]); }
    mark(row);
    return;
  }
  var top = -3.0e38;
  for (var j = 0u; j < p.k; j++) {
    let a = max(p.alpha * exp(logp[base + j]), 1e-30);
    let draw = drawn(row, j, a);
    out[base + j] = max(draw.x + draw.y / a, -3.0e38);
    top = max(top, out[base + j]);
  }
  var sum = 0.0;
  for (var j = 0u; j < p.k; j++) { sum += exp(out[base + j] - top); }
  if (p.mode == 0u) {
    for (var j = 0u; j < p.k; j++) { out[base + j] = exp(out[base + j] - top) / sum; }
    mark(row);
    return;
  }
  let all = top + log(sum);
  var terms = 0.0;
  for (var j = 0u; j < p.k; j++) {
    let a = max(p.alpha * exp(logp[base + j]), 1e-30);
    let draw = drawn(row, j, a);
    out[base + j] = a * (draw.x - all - psi(a + 1.0)) + draw.y + 1.0;
    terms += out[base + j];
  }
  for (var j = 0u; j < p.k; j++) { out[base + j] = (out[base + j] - exp(logp[base + j]) * terms) / p.tau; }
}
