// out[r] (+)= sum over j of weights[r, j] E[ids[r, j]], j ascending, of those ids that lie in base .. base + sourceRows: a chunk of E
// [V, d] (f32, packed f16 or quantised). With keep 1 also to fed[row, column], info[r] = (row, _, _, _). ids u32 [rows, k], weights
// [rows, k], out [rows, d], fed [rows of the record, columns, d]. One subgroup a row. V is an element of W numbers, Sum a sum of such.
struct Params {
  rows: u32, d: u32, width: u32, sourceRows: u32, base: u32, k: u32, accumulate: u32, keep: u32, columns: u32, column: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<T>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<V>;
@group(0) @binding(FREE) var<storage, read> weights: array<f32>;
@group(0) @binding(FREE_1) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(FREE_2) var<storage, read_write> fed: array<V>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let width = p.d / W;
  for (var c = lane; c < width; c += S) {
    var sum = Sum();
    if (p.accumulate != 0u) { sum = unpacked(out[row * width + c]); }
    for (var j = 0u; j < p.k; j++) {
      let id = ids[row * p.k + j];
      if (id < p.base || id - p.base >= p.sourceRows) { continue; }
      sum = plus(sum, weights[row * p.k + j], unpacked(load(id - p.base, c)));
    }
    out[row * width + c] = packed(sum);
    if (p.keep != 0u) { fed[(info[row].x * p.columns + p.column) * width + c] = packed(sum); }
  }
}
