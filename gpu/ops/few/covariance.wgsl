// Weights of a few tokens with the mean and eta^2 times the covariance of a drawn token: w = p^ + eta (sqrt(p^) e - p^ (sqrt(p^) . e)), e
// standard normal. mode 0: out = w; 1: out = the score of the mean alone, (w - p^) / (tau eta^2), a surrogate; 2: the whole score,
// (t_j - p^_j sum t) / tau with t_j = (sqrt(p^_j) (1 - eta c) + eta e_j)^2 / (2 eta^2) - 1/2, c = sqrt(p^) . e. random 0: w = p^. See few_step.wgsl.
struct Params {
  rows: u32, vocab: u32, ldz: u32, k: u32, mode: u32, random: u32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32, tau: f32, eta: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
fn finish(row: u32) {
  let base = row * p.k;
  var along = 0.0;
  for (var j = 0u; j < p.k; j++) {
    let e = select(0.0, gaussian(words(row, j, 0u).xy), p.random == 1u);
    out[base + j] = e;
    along += exp(0.5 * logp[base + j]) * e;
  }
  var terms = 0.0;
  for (var j = 0u; j < p.k; j++) {
    let root = exp(0.5 * logp[base + j]);
    let e = out[base + j];
    let moved = root * e - root * root * along;
    if (p.mode == 0u) { out[base + j] = root * root + p.eta * moved; }
    if (p.mode == 1u) { out[base + j] = moved / (p.tau * p.eta); }
    if (p.mode == 2u) {
      let q = root * (1.0 - p.eta * along) + p.eta * e;
      out[base + j] = q * q / (2.0 * p.eta * p.eta) - 0.5;
      terms += out[base + j];
    }
  }
  if (p.mode == 0u) { mark(row); }
  if (p.mode != 2u) { return; }
  for (var j = 0u; j < p.k; j++) { out[base + j] = (out[base + j] - exp(logp[base + j]) * terms) / p.tau; }
}
