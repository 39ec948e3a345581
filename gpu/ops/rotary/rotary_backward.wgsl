// dqkv[r] = the gradients of Q and K rotated back, and that of V. Shapes as in rotary.wgsl; keys are the packed rows. Bindings:
// rotary_backward_bindings.wgsl.
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * LANES + lane;
  let row = i / ((HEADS + 2u * KV) * HALF);
  if (row >= p.rows) { return; }
  let head = i / HALF % (HEADS + 2u * KV);
  let c = i % HALF;
  let m = rowMeta[row];
  let key = m.z + m.w - m.y;
  let at = (row * (HEADS + 2u * KV) + head) * 2u * HALF + c;
  if (head >= HEADS + KV) {
    let source = (key * KV + head - HEADS - KV) * 2u * HALF + c;
    dqkv[at] = dv[source];
    dqkv[at + HALF] = dv[source + HALF];
    return;
  }
  var x: V;
  var y: V;
  if (head < HEADS) {
    let source = (row * HEADS + head) * 2u * HALF + c;
    x = dq[source];
    y = dq[source + HALF];
  } else {
    let source = (key * KV + head - HEADS) * 2u * HALF + c;
    x = dk[source];
    y = dk[source + HALF];
  }
  let t = angle(m.w * HALF + c);
  dqkv[at] = x * t.cos + y * t.sin;
  dqkv[at + HALF] = y * t.cos - x * t.sin;
}
