// RMSNorm of every head of Q and K (Qwen 3), V copied. x, out [rows, (heads + 2 kvHeads) hd]; weights qw, kw [hd].
struct Params { rows: u32, heads: u32, kvHeads: u32, hd: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> qw: array<f32>;
@group(0) @binding(3) var<storage, read> kw: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let heads = p.heads + 2u * p.kvHeads;
  let item = wg.y * n.x + wg.x;
  if (item >= p.rows * heads) { return; }
  let head = item % heads;
  let at = item * p.hd;
  if (head >= p.heads + p.kvHeads) {
    for (var c = lane; c < p.hd; c += S) { out[at + c] = x[at + c]; }
    return;
  }
  let isQ = head < p.heads;
  var sum = 0.0;
  for (var c = lane; c < p.hd; c += S) {
    let v = x[at + c];
    sum = fma(v, v, sum);
  }
  let scale = 1.0 / sqrt(subgroupAdd(sum) / f32(p.hd) + p.eps);
  for (var c = lane; c < p.hd; c += S) { out[at + c] = x[at + c] * scale * select(kw[c], qw[c], isQ); }
}
