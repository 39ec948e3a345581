// out[b, c] (+)= sum over the rows r of block b of x[r, c], ascending. x [rows, d]; out [blocks, d].
struct Params { rows: u32, d: u32, block: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read_write> out: array<V>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let width = p.d / W;
  let c = wg.x * S + lane;
  if (c >= width) { return; }
  var sum = V();
  for (var row = wg.y * p.block; row < min((wg.y + 1u) * p.block, p.rows); row++) { sum += x[row * width + c]; }
  if (p.accumulate != 0u) { out[wg.y * width + c] += sum; } else { out[wg.y * width + c] = sum; }
}
