// partial[offset + b] = sum of x[i]^2 over block b of `block` values, or of x[i] if `plain`; with `root` its square root.
struct Params { n: u32, block: u32, offset: u32, plain: u32, root: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
const LANES = 64u;
var<workgroup> sums: array<f32, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let start = wg.x * p.block;
  let end = min(start + p.block, p.n);
  var sum = 0.0;
  for (var i = start + lane; i < end; i += LANES) {
    let v = x[i];
    if (p.plain != 0u) { sum += v; } else { sum = fma(v, v, sum); }
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane != 0u) { return; }
  sum = 0.0;
  for (var l = 0u; l < LANES; l++) { sum += sums[l]; }
  if (p.root != 0u) { sum = sqrt(sum); }
  partial[p.offset + wg.x] = sum;
}
