// out[r, c] = x[r, c] * rinv[r] * weight[c], rinv[r] = 1 / sqrt(mean over c of x^2 + eps). x, out [rows, d].
// One subgroup a row, ROWS rows a workgroup. Bindings: rms_norm_bindings.wgsl.
struct Params { rows: u32, d: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
const ROWS = 4u;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let first = (wg.y * n.x + wg.x) * ROWS;
  let width = p.d / W;
  for (var row = first; row < min(first + ROWS, p.rows); row++) {
    var sum = 0.0;
    for (var c = lane; c < width; c += S) { let v = x[row * width + c]; sum += total(v * v); }
    let scale = 1.0 / sqrt(subgroupAdd(sum) / f32(p.d) + p.eps);
    if (lane == 0u) { rinv[row] = scale; }
    for (var c = lane; c < width; c += S) { out[row * width + c] = x[row * width + c] * scale * weight[c]; }
  }
}
