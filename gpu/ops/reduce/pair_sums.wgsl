// sums[offset + b] = (sum of x^2, of y^2, of x y, of (x - y)^2) over block b of `block` values of x and y, n each.
struct Params { n: u32, block: u32, offset: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4<f32>>;
const LANES = 64u;
var<workgroup> parts: array<vec4<f32>, LANES>;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let b = wg.y * n.x + wg.x;
  let start = b * p.block;
  if (start >= p.n) { return; }
  let end = min(start + p.block, p.n);
  var sum = vec4<f32>();
  for (var i = start + lane; i < end; i += LANES) {
    let v = x[i];
    let w = y[i];
    let d = v - w;
    sum += vec4<f32>(v * v, w * w, v * w, d * d);
  }
  parts[lane] = sum;
  workgroupBarrier();
  if (lane != 0u) { return; }
  sum = vec4<f32>();
  for (var l = 0u; l < LANES; l++) { sum += parts[l]; }
  sums[p.offset + b] = sum;
}
