// blocks[i, part(i) rank + k] = scale b[i, k], 0 in the other parts' columns. b [rows, rank], blocks [rows, parts rank];
// part(i) counts the starts at or below row i. `first` is the row that the bindings' parts begin at.
struct Params { n: u32, rank: u32, parts: u32, start1: u32, start2: u32, first: u32, fromAt: u32, toAt: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> blocks: array<f32>;
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.y * n.x + wg.x) * LANES + lane;
  if (at >= p.n) { return; }
  let width = p.parts * p.rank;
  let row = at / width;
  let col = at % width;
  let i = p.first + row;
  let part = select(0u, 1u, i >= p.start1) + select(0u, 1u, i >= p.start2);
  var value = 0.0;
  if (col / p.rank == part) { value = p.scale * b[p.fromAt + row * p.rank + col % p.rank]; }
  blocks[p.toAt + at] = value;
}
