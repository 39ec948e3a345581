// out[r] = source[index[r] - base] where base <= index[r] < base + sourceRows; other rows stay as they are.
// source [sourceRows, d], f32, packed f16 or quantised; index [rows]; out [rows, d]. One subgroup a row.
struct Params { rows: u32, d: u32, width: u32, sourceRows: u32, base: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<T>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<V>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let wanted = index[row];
  if (wanted < p.base || wanted - p.base >= p.sourceRows) { return; }
  let width = p.d / W;
  for (var c = lane; c < width; c += S) { out[row * width + c] = load(wanted - p.base, c); }
}
