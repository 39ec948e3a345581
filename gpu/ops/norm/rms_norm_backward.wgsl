// dx[r, c] (+)= rinv (weight dy - x rinv^2 / d * sum over c of weight dy x). x, dy, dx [rows, d]; weight [d]; rinv [rows].
// Bindings: rms_norm_backward_bindings.wgsl.
struct Params { rows: u32, d: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
const ROWS = 4u;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let first = (wg.y * n.x + wg.x) * ROWS;
  let width = p.d / W;
  for (var row = first; row < min(first + ROWS, p.rows); row++) {
    let at = row * width;
    let scale = rinv[row];
    var sum = 0.0;
    for (var c = lane; c < width; c += S) { sum += total(weight[c] * dy[at + c] * x[at + c]); }
    let projection = subgroupAdd(sum) * scale * scale / f32(p.d);
    for (var c = lane; c < width; c += S) {
      let g = (weight[c] * dy[at + c] - x[at + c] * projection) * scale;
      if (p.accumulate != 0u) { dx[at + c] += g; } else { dx[at + c] = g; }
    }
  }
}
