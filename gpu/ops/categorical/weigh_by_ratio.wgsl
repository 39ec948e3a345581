// Actions of an older policy: log_ratio[i] = logp[i] - old[i], and weight[i] becomes weight[i] min(exp(log_ratio[i]), exp(log_bound)).
// Equal log-probabilities leave the weight as it is, to the bit. n of each.
struct Params { n: u32, log_bound: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logp: array<f32>;
@group(0) @binding(2) var<storage, read> old: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> log_ratio: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * 64u + lane;
  if (i >= p.n) { return; }
  let difference = logp[i] - old[i];
  log_ratio[i] = difference;
  if (difference != 0.0) { weight[i] *= exp(min(difference, p.log_bound)); }
}
