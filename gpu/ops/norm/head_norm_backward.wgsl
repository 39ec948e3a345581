// The gradient of head_norm.wgsl: out becomes dx for dout in `dy`, and dy the terms x rinv dy whose sums over rows and heads are
// dqw, dkw. Shapes as there.
struct Params { rows: u32, heads: u32, kvHeads: u32, hd: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> qw: array<f32>;
@group(0) @binding(3) var<storage, read> kw: array<f32>;
@group(0) @binding(4) var<storage, read_write> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let heads = p.heads + 2u * p.kvHeads;
  let item = wg.y * n.x + wg.x;
  if (item >= p.rows * heads) { return; }
  let head = item % heads;
  let at = item * p.hd;
  if (head >= p.heads + p.kvHeads) {
    for (var c = lane; c < p.hd; c += S) { out[at + c] = dy[at + c]; }
    return;
  }
  let isQ = head < p.heads;
  var sum = 0.0;
  var inner = 0.0;
  for (var c = lane; c < p.hd; c += S) {
    let v = x[at + c];
    sum = fma(v, v, sum);
    inner += select(kw[c], qw[c], isQ) * dy[at + c] * v;
  }
  let scale = 1.0 / sqrt(subgroupAdd(sum) / f32(p.hd) + p.eps);
  let projection = subgroupAdd(inner) * scale * scale / f32(p.hd);
  for (var c = lane; c < p.hd; c += S) {
    let v = x[at + c];
    let g = dy[at + c];
    out[at + c] = (select(kw[c], qw[c], isQ) * g - v * projection) * scale;
    dy[at + c] = g * v * scale;
  }
}
