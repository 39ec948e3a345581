// Splits qkv[r] into heads, turns those of Q and K by the row's position, and stores K and V at the row's place in
// the keys and values. qkv [rows, (heads + 2 kvHeads) hd]; q [rows, heads hd]; k, v [keys, kvHeads hd];
// meta[r] = (prefixStart, prefixLen, ownStart, position); table[position, hd/2] = (cos, sin). Half-split convention.
// A row's position is meta[r].w + shift: decoding moves on without writing meta anew.
struct Params { rows: u32, heads: u32, kvHeads: u32, hd: u32, shift: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> table: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> q: array<f32>;
@group(0) @binding(5) var<storage, read_write> k: array<f32>;
@group(0) @binding(6) var<storage, read_write> v: array<f32>;
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let heads = p.heads + 2u * p.kvHeads;
  let half = p.hd / 2u;
  let i = (wg.y * n.x + wg.x) * LANES + lane;
  let row = i / (heads * half);
  if (row >= p.rows) { return; }
  let head = i / half % heads;
  let c = i % half;
  let at = (row * heads + head) * p.hd + c;
  let a = qkv[at];
  let b = qkv[at + half];
  let m = rowMeta[row];
  let position = m.w + p.shift;
  let t = table[position * half + c];
  let key = m.z + position - m.y;
  // Explicit fma: the same bits in every pass, whatever a compiler would contract.
  let x = fma(a, t.x, -(b * t.y));
  let y = fma(b, t.x, a * t.y);
  if (head < p.heads) {
    let to = (row * p.heads + head) * p.hd + c;
    q[to] = x;
    q[to + half] = y;
  } else if (head < p.heads + p.kvHeads) {
    let to = (key * p.kvHeads + head - p.heads) * p.hd + c;
    k[to] = x;
    k[to + half] = y;
  } else {
    let to = (key * p.kvHeads + head - p.heads - p.kvHeads) * p.hd + c;
    v[to] = a;
    v[to + half] = b;
  }
}
