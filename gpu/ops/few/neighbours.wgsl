// A step among neighbours (N-GRPO, arXiv 2606.10768). few_step.wgsl takes the k largest of z = what cosines.wgsl left: the most probable
// token and its nearest. Where the step mixes, values out are 1 / k, or with weighted 1 softmax(logits / tau) among the k, and the first
// becomes the step's token. Else ids are the token that stands there already, k times, with values 1, 0, ..., 0. logits [rows, ldz].
struct Params {
  rows: u32, vocab: u32, ldz: u32, k: u32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32, tau: f32, rho: f32, weighted: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(7) var<storage, read> logits: array<f32>;
fn finish(row: u32) {
  let base = row * p.k;
  let at = info[row].x * p.columns + p.column;
  if (!mixes(row)) {
    for (var j = 0u; j < p.k; j++) {
      ids[base + j] = tokens[at];
      out[base + j] = select(0.0, 1.0, j == 0u);
    }
    return;
  }
  tokens[at] = ids[base];
  // The first is the most probable.
  let top = logits[row * p.ldz + ids[base]];
  var sum = 0.0;
  for (var j = 0u; j < p.k; j++) {
    out[base + j] = select(1.0, exp((logits[row * p.ldz + ids[base + j]] - top) / p.tau), p.weighted == 1u);
    sum += out[base + j];
  }
  for (var j = 0u; j < p.k; j++) { out[base + j] /= sum; }
}
