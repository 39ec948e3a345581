// The gradient of noisy rows that an older policy made: h [rows, d] is m_old + sigma eps, m [rows, d] is the mixture of now. With
// off = (h - (m + sigma eps)) / sigma, which is exactly 0 where the mixtures have equal bits:
// log_ratio[r] = ln N(h; m, sigma) - ln N(h; m_old, sigma) = -sum over d of off (eps + off / 2),
// g[r] = weight[r] min(exp(log_ratio[r]), exp(log_bound)) (eps + off) / sigma: the weighed derivative of ln N(h; m, sigma) for m.
// info[r] = (row, rollout, _, position), eps as in row_noise.wgsl. d is a multiple of 4. One subgroup a row.
struct Params { rows: u32, d: u32, sigma: f32, log_bound: f32, shift: u32, pairs: u32, seed: u32, domain: u32, step: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> h: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> g: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> log_ratio: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let who = info[row];
  let width = p.d / 4u;
  let sigma = vec4<f32>(p.sigma);
  var part = 0.0;
  for (var c = lane; c < width; c += S) {
    let at = row * width + c;
    let eps = row_noise(c, who);
    let off = (h[at] - fma(sigma, eps, m[at])) / sigma;
    part += dot(off, eps + 0.5 * off);
  }
  let found = -subgroupAdd(part);
  var factor = weight[row];
  if (found != 0.0) { factor *= exp(min(found, p.log_bound)); }
  if (lane == 0u) { log_ratio[row] = found; }
  for (var c = lane; c < width; c += S) {
    let at = row * width + c;
    let eps = row_noise(c, who);
    let off = (h[at] - fma(sigma, eps, m[at])) / sigma;
    g[at] = factor / p.sigma * (eps + off);
  }
}
