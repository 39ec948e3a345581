// near[r, v] = E_v . q_r / |E_v|, in the order of the cosines, for rows r whose step mixes (mixed_top.wgsl): q [rows, d] holds E's rows of
// the tokens top[r], which are their own nearest by OWN. Rows of near [rows, ldn] where top is NO_ROW are left as they are. v = base ..
// base + sourceRows, a chunk of E [V, d] (f32, packed f16 or quantised), d a multiple of 4. One subgroup for four rows of E and TILE rows
// of q: E is read for those that mix alone.
struct Params { rows: u32, d: u32, width: u32, sourceRows: u32, base: u32, ldn: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<T>;
@group(0) @binding(2) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> near: array<f32>;
@group(0) @binding(FREE) var<storage, read> top: array<vec4<u32>>; // four rows each
const OWN = 3.0e38;
// What `dot` gives, in one order and by fma: of `dot` each compiler makes its own.
fn product(a: vec4<f32>, b: vec4<f32>) -> f32 { return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, a.x * b.x))); }
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tiles = (p.rows + TILE - 1u) / TILE;
  let group = wg.y * n.x + wg.x;
  let start = group % tiles * TILE;
  let first = group / tiles * 4u;
  if (first >= p.sourceRows) { return; }
  let end = min(start + TILE, p.rows);
  // A bit for each row that mixes, found by every lane: compilers are to see that they all go the same way.
  var mixing = 0u;
  for (var r = start; r < end; r += 4u) {
    let bits = select(vec4<u32>(1u, 2u, 4u, 8u), vec4<u32>(), top[r / 4u] == vec4<u32>(NO_ROW));
    mixing |= dot(bits, vec4<u32>(1u)) << (r - start);
  }
  if (mixing == 0u) { return; }
  let width = p.d / 4u;
  let v = min(vec4<u32>(first, first + 1u, first + 2u, first + 3u), vec4<u32>(p.sourceRows - 1u));
  for (var r = start; r < end; r++) {
    if (((mixing >> (r - start)) & 1u) == 0u) { continue; }
    let own = top[r / 4u][r % 4u];
    var along = vec4<f32>();
    var square = vec4<f32>();
    for (var c = lane; c < width; c += S) {
      let x = q[r * width + c];
      let e0 = load(v.x, c);
      let e1 = load(v.y, c);
      let e2 = load(v.z, c);
      let e3 = load(v.w, c);
      along += vec4<f32>(product(e0, x), product(e1, x), product(e2, x), product(e3, x));
      square += vec4<f32>(product(e0, e0), product(e1, e1), product(e2, e2), product(e3, e3));
    }
    let cosines = subgroupAdd(along) / max(sqrt(subgroupAdd(square)), vec4<f32>(1e-30));
    for (var i = lane; i < min(4u, p.sourceRows - first); i += S) {
      let id = p.base + first + i;
      near[r * p.ldn + id] = select(cosines[i], OWN, own == id);
    }
  }
}
