// db[i, k] += scale dblocks[i, part(i) rank + k]: the backward of lora_spread. dblocks [rows, parts rank], db [rows, rank].
struct Params { n: u32, rank: u32, parts: u32, start1: u32, start2: u32, first: u32, fromAt: u32, toAt: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dblocks: array<f32>;
@group(0) @binding(2) var<storage, read_write> db: array<f32>;
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.y * n.x + wg.x) * LANES + lane;
  if (at >= p.n) { return; }
  let row = at / p.rank;
  let i = p.first + row;
  let part = select(0u, 1u, i >= p.start1) + select(0u, 1u, i >= p.start2);
  db[p.toAt + at] += p.scale * dblocks[p.fromAt + (row * p.parts + part) * p.rank + at % p.rank];
}
