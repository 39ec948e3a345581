// Mixture of inputs (arXiv 2505.14827): weights p [rows, ldz], columns below `vocab` real, and a drawn token y[r] become
// H (p + beta 1_y) / (1 + beta) + (1 - H) 1_y, H = the entropy of p / ln n, n the tokens with any weight. One workgroup a row.
struct Params { rows: u32, vocab: u32, ldz: u32, beta: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<u32>;
var<workgroup> parts: array<vec2<f32>, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var part = vec2<f32>();
  for (var c = lane; c < p.vocab; c += LANES) {
    let weight = w[base + c];
    if (weight > 0.0) { part = vec2<f32>(fma(-weight, log(weight), part.x), part.y + 1.0); }
  }
  parts[lane] = part;
  workgroupBarrier();
  var all = vec2<f32>();
  for (var i = 0u; i < LANES; i++) { all += parts[i]; }
  let h = select(0.0, clamp(all.x / log(all.y), 0.0, 1.0), all.y > 1.5);
  for (var c = lane; c < p.vocab; c += LANES) {
    let own = select(0.0, 1.0, c == y[row]);
    w[base + c] = fma(1.0 - h, own, h * fma(p.beta, own, w[base + c]) / (1.0 + p.beta));
  }
}
