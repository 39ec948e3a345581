// Splits qkv[r] into heads, rotates those of Q and K by the row's position, and stores K and V at the row's place in
// the keys and values. qkv [rows, (heads + 2 kvHeads) hd]; q [rows, heads hd]; k, v [keys, kvHeads hd];
// meta[r] = (prefixStart, prefixLen, ownStart, position); table[position, hd/2] = (cos, sin). Half-split convention.
// `biased` adds the projections' bias [(heads + 2 kvHeads) hd] where there is one.
// A row's position is meta[r].w + shift: decoding moves on without writing meta anew. Bindings: rotary_bindings.wgsl.
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * LANES + lane;
  let row = i / ((HEADS + 2u * KV) * HALF);
  if (row >= p.rows) { return; }
  let head = i / HALF % (HEADS + 2u * KV);
  let c = i % HALF;
  let at = (row * (HEADS + 2u * KV) + head) * 2u * HALF + c;
  let a = biased(qkv[at], head * 2u * HALF + c);
  let b = biased(qkv[at + HALF], head * 2u * HALF + c + HALF);
  let m = rowMeta[row];
  let position = m.w + p.shift;
  let key = m.z + position - m.y;
  let t = angle(position * HALF + c);
  // Explicit fma: the same bits in every pass, whatever a compiler would contract.
  let x = fma(a, t.cos, -(b * t.sin));
  let y = fma(b, t.cos, a * t.sin);
  if (head < HEADS) {
    let to = (row * HEADS + head) * 2u * HALF + c;
    q[to] = x;
    q[to + HALF] = y;
  } else if (head < HEADS + KV) {
    let to = (key * KV + head - HEADS) * 2u * HALF + c;
    k[to] = x;
    k[to + HALF] = y;
  } else {
    let to = (key * KV + head - HEADS - KV) * 2u * HALF + c;
    v[to] = a;
    v[to + HALF] = b;
  }
}
