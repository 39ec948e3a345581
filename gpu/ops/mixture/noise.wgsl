// The noise eps of a thinking step (row_noise.wgsl), derived from (dimension >> 2, position, rollout, step), and what is made of it.
// info[r] = (row, rollout, _, position), position counted `shift` further. d is a multiple of 4. m, g [rows, d].
// mode 0: next[r] = m[r] + sigma eps, stored also in fed[row, column]; mode 1: g[r] = weight[r] eps / sigma.
// mode 2: weight[r] = root mean square over d of (target[r] - (m[r] + sigma eps)) / unit, target in `next`.
struct Params {
  rows: u32, d: u32, mode: u32, sigma: f32, unit: f32, columns: u32, column: u32, shift: u32, pairs: u32, seed: u32, domain: u32, step: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> next: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> fed: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> weight: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let who = info[row];
  let width = p.d / 4u;
  var square = 0.0;
  for (var c = lane; c < width; c += S) {
    let at = row * width + c;
    var eps = vec4<f32>();
    if (p.sigma > 0.0) { eps = row_noise(c, who); }
    if (p.mode == 1u) {
      m[at] = weight[row] / p.sigma * eps;
      continue;
    }
    let noisy = fma(vec4<f32>(p.sigma), eps, m[at]);
    if (p.mode == 0u) {
      next[at] = noisy;
      fed[(who.x * p.columns + p.column) * width + c] = noisy;
    } else {
      let off = next[at] - noisy;
      square += fma(off.w, off.w, fma(off.z, off.z, fma(off.y, off.y, off.x * off.x)));
    }
  }
  let total = subgroupAdd(square);
  if (p.mode == 2u && lane == 0u) { weight[row] = sqrt(total / f32(p.d)) / p.unit; }
}
