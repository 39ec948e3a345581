// dx[r, c] = dout up s (1 + gate (1 - s)), dx[r, f + c] = dout gate s, s = 1 / (1 + exp(-gate)). x, dx [rows, 2f]; dout [rows, f].
struct Params { rows: u32, f: u32, each: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> dout: array<V>;
@group(0) @binding(3) var<storage, read_write> dx: array<V>;
const SPAN = 8u * S;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let f = p.f / W;
  for (var row = wg.y * p.each; row < min((wg.y + 1u) * p.each, p.rows); row++) {
    for (var c = wg.x * SPAN + lane; c < min((wg.x + 1u) * SPAN, f); c += S) {
      let at = row * 2u * f + c;
      let gate = x[at];
      let s = 1.0 / (1.0 + exp(-gate));
      let g = dout[row * f + c];
      dx[at] = g * x[at + f] * s * (1.0 + gate * (1.0 - s));
      dx[at + f] = g * gate * s;
    }
  }
}
