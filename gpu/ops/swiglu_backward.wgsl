// dx[r, c] = dout up s (1 + gate (1 - s)), dx[r, f + c] = dout gate s, s = 1 / (1 + exp(-gate)). x, dx [rows, 2f]; dout [rows, f].
struct Params { count: u32, f: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> dout: array<V>;
@group(0) @binding(3) var<storage, read_write> dx: array<V>;
const LANES = 64u;
const EACH = 4u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let f = p.f / W;
  let first = (wg.y * n.x + wg.x) * LANES * EACH + lane;
  for (var e = 0u; e < EACH; e++) {
    let i = first + e * LANES;
    if (i >= p.count) { return; }
    let at = i / f * 2u * f + i % f;
    let gate = x[at];
    let s = 1.0 / (1.0 + exp(-gate));
    let g = dout[i];
    dx[at] = g * x[at + f] * s * (1.0 + gate * (1.0 - s));
    dx[at + f] = g * gate * s;
  }
}
