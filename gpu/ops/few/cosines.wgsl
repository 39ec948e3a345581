// near[r, v] = E_v . q_r / |E_v|, in the order of the cosines, for rows r whose step mixes (mixed_step.wgsl): q [rows, d] holds E's rows of
// the tokens top[r], which are their own nearest by OWN. Other rows of near [rows, ldn] are left as they are. v = base .. base + sourceRows,
// a chunk of E [V, d] (f32, packed f16 or quantised), d a multiple of 4. info[r] = (_, rollout, _, position). One subgroup for
// EACH rows of E and TILE rows of q: E is read once for these, and not at all where none of them mixes.
struct Params {
  rows: u32, d: u32, width: u32, sourceRows: u32, base: u32, ldn: u32, shift: u32, seed: u32, domain: u32, step: u32, rho: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<T>;
@group(0) @binding(2) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> near: array<f32>;
@group(0) @binding(FREE) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(FREE_1) var<storage, read> top: array<u32>;
const OWN = 3.0e38;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tiles = (p.rows + TILE - 1u) / TILE;
  let group = wg.y * n.x + wg.x;
  let start = group % tiles * TILE;
  let first = group / tiles * EACH;
  if (first >= p.sourceRows) { return; }
  let end = min(start + TILE, p.rows);
  var mixing = 0u;
  for (var r = start; r < end; r++) { mixing |= select(0u, 1u << (r - start), mixes(r)); }
  if (mixing == 0u) { return; }
  let width = p.d / 4u;
  for (var v = first; v < min(first + EACH, p.sourceRows); v++) {
    var square = 0.0;
    for (var c = lane; c < width; c += S) {
      let e = load(v, c);
      square += dot(e, e);
    }
    let length = sqrt(subgroupAdd(square));
    for (var r = start; r < end; r++) {
      if ((mixing >> (r - start) & 1u) == 0u) { continue; }
      var along = 0.0;
      for (var c = lane; c < width; c += S) { along += dot(load(v, c), q[r * width + c]); }
      let all = subgroupAdd(along);
      if (lane == 0u) { near[r * p.ldn + p.base + v] = select(all / max(length, 1e-30), OWN, top[r] == p.base + v); }
    }
  }
}
