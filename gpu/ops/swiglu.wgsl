// out[r, c] = silu(gate) * up, gate = x[r, c], up = x[r, f + c]. x [rows, 2f]; out [rows, f].
// A subgroup takes `each` rows of SPAN columns: no index is divided by a number that is not a constant.
struct Params { rows: u32, f: u32, each: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read_write> out: array<V>;
const SPAN = 8u * S;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let f = p.f / W;
  for (var row = wg.y * p.each; row < min((wg.y + 1u) * p.each, p.rows); row++) {
    for (var c = wg.x * SPAN + lane; c < min((wg.x + 1u) * SPAN, f); c += S) {
      let at = row * 2u * f + c;
      let gate = x[at];
      out[row * f + c] = gate / (1.0 + exp(-gate)) * x[at + f];
    }
  }
}
