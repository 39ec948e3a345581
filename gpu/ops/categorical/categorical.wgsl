// Log-probability of a token under softmax(z / tau), and its gradient. z [rows, ldz] holds logits, columns below `vocab`
// real; target, weight [rows]. logp[r] = ln p(target); if `backward`, z becomes weight (onehot - p) / tau.
struct Params { rows: u32, vocab: u32, ldz: u32, tau: f32, backward: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> logp: array<f32>;
var<workgroup> tops: array<f32, LANES>;
var<workgroup> sums: array<f32, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var top = -3.0e38;
  for (var c = lane; c < p.vocab; c += LANES) { top = max(top, z[base + c]); }
  tops[lane] = top;
  workgroupBarrier();
  for (var l = 0u; l < LANES; l++) { top = max(top, tops[l]); }
  var sum = 0.0;
  for (var c = lane; c < p.vocab; c += LANES) { sum += exp((z[base + c] - top) / p.tau); }
  sums[lane] = sum;
  workgroupBarrier();
  var all = 0.0;
  for (var l = 0u; l < LANES; l++) { all += sums[l]; }
  let goal = targets[row];
  if (lane == 0u) { logp[row] = (z[base + goal] - top) / p.tau - log(all); }
  if (p.backward == 0u) { return; }
  storageBarrier(); // the target's logit is read before another lane overwrites it
  workgroupBarrier();
  let weight = weights[row] / p.tau;
  for (var c = lane; c < p.ldz; c += LANES) {
    var g = 0.0;
    if (c < p.vocab) { g = -weight * exp((z[base + c] - top) / p.tau) / all; }
    if (c == goal) { g += weight; }
    z[base + c] = g;
  }
}
