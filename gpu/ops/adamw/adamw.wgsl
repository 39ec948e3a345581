// AdamW (Loshchilov and Hutter 2019) on n values of type V, f32 or a vector of four: g = scale * min(1, clip / norm) * grad, norm read from the GPU.
// decay is lr * weight decay; correct1, correct2 = 1 - beta^t.
struct Params { n: u32, lr: f32, beta1: f32, beta2: f32, eps: f32, decay: f32, correct1: f32, correct2: f32, clip: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> grad: array<V>;
@group(0) @binding(2) var<storage, read> norm: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<V>;
@group(0) @binding(4) var<storage, read_write> first: array<V>;
@group(0) @binding(5) var<storage, read_write> second: array<V>;
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * LANES + lane;
  if (i >= p.n) { return; }
  var scale = 1.0;
  if (p.clip > 0.0 && norm[0] > p.clip) { scale = p.clip / norm[0]; }
  let g = grad[i] * scale;
  let m = p.beta1 * first[i] + (1.0 - p.beta1) * g;
  let v = p.beta2 * second[i] + (1.0 - p.beta2) * g * g;
  first[i] = m;
  second[i] = v;
  weight[i] = weight[i] - p.decay * weight[i] - p.lr * (m / p.correct1) / (sqrt(v / p.correct2) + p.eps);
}
