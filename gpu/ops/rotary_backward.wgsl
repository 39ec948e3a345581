// dqkv[r] = the gradients of Q and K turned back, and that of V. Shapes as in rotary.wgsl; here keys are the packed rows.
struct Params { rows: u32, heads: u32, kvHeads: u32, hd: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dq: array<f32>;
@group(0) @binding(2) var<storage, read> dk: array<f32>;
@group(0) @binding(3) var<storage, read> dv: array<f32>;
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> table: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> dqkv: array<f32>;
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
  let m = rowMeta[row];
  let t = table[m.w * half + c];
  let key = m.z + m.w - m.y;
  var x = 0.0;
  var y = 0.0;
  if (head < p.heads) {
    let source = (row * p.heads + head) * p.hd + c;
    x = dq[source];
    y = dq[source + half];
  } else if (head < p.heads + p.kvHeads) {
    let source = (key * p.kvHeads + head - p.heads) * p.hd + c;
    x = dk[source];
    y = dk[source + half];
  } else {
    let source = (key * p.kvHeads + head - p.heads - p.kvHeads) * p.hd + c;
    x = dv[source];
    y = dv[source + half];
  }
  let at = (row * heads + head) * p.hd + c;
  let turned = head < p.heads + p.kvHeads;
  dqkv[at] = select(x, x * t.x + y * t.y, turned);
  dqkv[at + half] = select(y, y * t.x - x * t.y, turned);
}
