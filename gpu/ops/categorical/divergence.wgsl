// kl[r] = KL(p || q) in nats, p = softmax(z / tau) and q = softmax(base / tau) of row r; z, base [rows, ldz] hold logits, columns below `vocab`
// real. It is the sum of q - p - p ln(q / p), whose terms are all at least 0: nothing cancels, and equal rows give exactly 0.
// One workgroup a row.
struct Params { rows: u32, vocab: u32, ldz: u32, tau: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> base: array<f32>;
@group(0) @binding(3) var<storage, read_write> kl: array<f32>;
var<workgroup> pairs: array<vec2<f32>, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let at = row * p.ldz;
  var top = vec2<f32>(-3.0e38);
  for (var c = lane; c < p.vocab; c += LANES) { top = max(top, vec2<f32>(z[at + c], base[at + c])); }
  pairs[lane] = top;
  workgroupBarrier();
  for (var l = 0u; l < LANES; l++) { top = max(top, pairs[l]); }
  workgroupBarrier(); // all have read before the sums take the place
  var sum = vec2<f32>();
  for (var c = lane; c < p.vocab; c += LANES) { sum += exp((vec2<f32>(z[at + c], base[at + c]) - top) / p.tau); }
  pairs[lane] = sum;
  workgroupBarrier();
  var all = vec2<f32>();
  for (var l = 0u; l < LANES; l++) { all += pairs[l]; }
  workgroupBarrier();
  let log_all = log(all);
  var part = 0.0;
  for (var c = lane; c < p.vocab; c += LANES) {
    let logp = (vec2<f32>(z[at + c], base[at + c]) - top) / p.tau - log_all;
    let d = logp.y - logp.x;
    let prob = exp(logp);
    // Near 0 the difference of nearly equal numbers would be rounding alone; the series is exact to 1e-7 there.
    let near = prob.x * d * d * (0.5 + d * (0.16666667 + d * (0.041666668 + d * 0.0083333333)));
    part += select(prob.y - prob.x - prob.x * d, near, abs(d) < 0.125);
  }
  pairs[lane] = vec2<f32>(part, 0.0);
  workgroupBarrier();
  if (lane != 0u) { return; }
  part = 0.0;
  for (var l = 0u; l < LANES; l++) { part += pairs[l].x; }
  kl[row] = part;
}
