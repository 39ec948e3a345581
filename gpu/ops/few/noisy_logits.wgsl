// Noise on the k largest logits v: v~ = v + sigma e, sigma = scale times their root mean square, e standard normal by token.
// mode 0: out = softmax(v~ / tau); 1: out = d ln pi / dv of the density of the differences of v~, which these weights are a function of:
// (e_j - mean e) / sigma, with sigma taken for a constant, a surrogate; 2: and of sigma itself, (sum (e - mean e)^2 - (k - 1)) v_j / |v|^2
// more. random 0: e = 0. See few_step.wgsl.
struct Params {
  rows: u32, vocab: u32, ldz: u32, k: u32, mode: u32, random: u32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32, tau: f32, scale: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
fn value(row: u32, j: u32) -> f32 { return z[row * p.ldz + ids[row * p.k + j]]; }
fn finish(row: u32) {
  let base = row * p.k;
  let k = f32(p.k);
  var square = 0.0;
  for (var j = 0u; j < p.k; j++) { square += value(row, j) * value(row, j); }
  square = max(square, 1e-30);
  let sigma = p.scale * sqrt(square / k);
  var mean = 0.0;
  for (var j = 0u; j < p.k; j++) {
    out[base + j] = select(0.0, gaussian(words(row, j, 0u).xy), p.random == 1u);
    mean += out[base + j] / k;
  }
  if (p.mode == 0u) {
    var top = -3.0e38;
    for (var j = 0u; j < p.k; j++) {
      out[base + j] = fma(sigma, out[base + j], value(row, j));
      top = max(top, out[base + j]);
    }
    var sum = 0.0;
    for (var j = 0u; j < p.k; j++) {
      out[base + j] = exp((out[base + j] - top) / p.tau);
      sum += out[base + j];
    }
    for (var j = 0u; j < p.k; j++) { out[base + j] /= sum; }
    mark(row);
    return;
  }
  var excess = 1.0 - k;
  for (var j = 0u; j < p.k; j++) { excess += (out[base + j] - mean) * (out[base + j] - mean); }
  if (p.mode == 1u) { excess = 0.0; }
  for (var j = 0u; j < p.k; j++) { out[base + j] = (out[base + j] - mean) / sigma + excess * value(row, j) / square; }
}
