// z [rows, ldz], columns below `vocab` real, becomes factor p (ln p + H), the gradient of -factor H for z: p = softmax(z), H its entropy in
// nats. Columns from `vocab` on become 0. One workgroup a row.
struct Params { rows: u32, vocab: u32, ldz: u32, factor: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
var<workgroup> tops: array<f32, LANES>;
var<workgroup> parts: array<vec2<f32>, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var top = -3.0e38;
  for (var c = lane; c < p.vocab; c += LANES) { top = max(top, z[base + c]); }
  tops[lane] = top;
  workgroupBarrier();
  for (var i = 0u; i < LANES; i++) { top = max(top, tops[i]); }
  // Sums of weights, and of weights times logits below the top: ln p = below - ln sum, H = ln sum - part / sum.
  var part = vec2<f32>();
  for (var c = lane; c < p.vocab; c += LANES) {
    let below = z[base + c] - top;
    part += vec2<f32>(exp(below), exp(below) * below);
  }
  parts[lane] = part;
  workgroupBarrier();
  var all = vec2<f32>();
  for (var i = 0u; i < LANES; i++) { all += parts[i]; }
  let log_sum = log(all.x);
  let entropy = log_sum - all.y / all.x;
  for (var c = lane; c < p.ldz; c += LANES) {
    let below = z[base + c] - top;
    z[base + c] = select(0.0, p.factor * exp(below) / all.x * (below - log_sum + entropy), c < p.vocab);
  }
}
