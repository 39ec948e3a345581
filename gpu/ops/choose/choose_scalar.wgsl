// The passes of choose.wgsl for any device and any stride: one workgroup a row, one lane an invocation, LANES members.
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
fn logit(at: u32) -> f32 { return z[at]; }
// A lane takes columns c, c + LANES, ...: four an iteration, which on the software device costs as much as two loads.
fn columns(c: u32) -> vec4<u32> { return vec4<u32>(c, c + LANES, c + 2u * LANES, c + 3u * LANES); }
fn logits(base: u32, at: vec4<u32>) -> vec4<f32> {
  // Past the last one a lane reads a column of its own again: others' are being overwritten.
  let i = base + select(at.xxxx, at, at < vec4<u32>(p.vocab));
  return select(vec4<f32>(-3.0e38), vec4<f32>(z[i.x], z[i.y], z[i.z], z[i.w]), at < vec4<u32>(p.vocab));
}
fn fold(old: Top, value: f32, column: u32) -> Top {
  let above = value > old.first;
  return Top(
    select(old.first, value, above),
    select(max(old.second, value), old.first, above),
    select(old.token, column, above),
  );
}
fn add(old: vec3<f32>, weight: f32, below: f32, warm: f32) -> vec3<f32> {
  return vec3<f32>(old.x + weight, fma(weight, below, old.y), old.z + warm);
}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var mine = Top(-3.0e38, -3.0e38, lane);
  for (var c = lane; c < p.vocab; c += 4u * LANES) {
    let at = columns(c);
    let v = logits(base, at);
    mine = fold(fold(fold(fold(mine, v.x, at.x), v.y, at.y), v.z, at.z), v.w, at.w);
  }
  tops[lane] = mine;
  workgroupBarrier();
  if (lane == 0u) { row_top = highest(); }
  workgroupBarrier();
  let top = row_top.first;
  var sum = vec3<f32>();
  for (var c = lane; c < p.vocab; c += 4u * LANES) {
    let below = logits(base, columns(c)) - top;
    let weight = exp(below);
    let warm = exp(below / p.tau);
    sum = add(sum, weight.x, below.x, warm.x);
    sum = add(sum, weight.y, below.y, warm.y);
    sum = add(sum, weight.z, below.z, warm.z);
    sum = add(sum, weight.w, below.w, warm.w);
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) { row_sum = total(); }
  workgroupBarrier();
  let all = row_sum;
  if (p.mode == 2u) {
    for (var c = lane; c < p.ldz; c += 4u * LANES) {
      let at = columns(c);
      var weight = exp((logits(base, at) - top) / p.tau) / all.z;
      weight = select(weight, vec4<f32>(), weight < vec4<f32>(NEGLIGIBLE));
      z[base + at.x] = weight.x;
      if (at.y < p.ldz) { z[base + at.y] = weight.y; }
      if (at.z < p.ldz) { z[base + at.z] = weight.z; }
      if (at.w < p.ldz) { z[base + at.w] = weight.w; }
    }
  }
  if (lane == 0u) { finish(row, base); }
  further(row, base, lane, true);
}
