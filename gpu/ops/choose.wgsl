// One thinking or answer step from logits z [rows, ldz]; only columns below `vocab` are real tokens. One workgroup a row.
// mode 0: the most probable token; 1: a token drawn from softmax(z / tau); 2: z becomes p = softmax(z / tau), weights below
// NEGLIGIBLE set to 0, token = argmax.
// info[r] = (slot, rollout, _, position). Token to tokens[slot, column]; stats[slot, column] = (ln p(token) at tau, entropy
// at tau 1, gap between the top two logits, top logit); the token also to chosen[r].
struct Params {
  rows: u32, vocab: u32, ldz: u32, mode: u32, tau: f32, columns: u32, column: u32, shift: u32, seed: u32, domain: u32, step: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
@group(0) @binding(2) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> chosen: array<u32>;
var<workgroup> first: array<f32, LANES>;
var<workgroup> second: array<f32, LANES>;
var<workgroup> token: array<u32, LANES>;
var<workgroup> sums: array<vec3<f32>, LANES>;
// A lane takes columns c, c + LANES, ...: four a turn, since on the software device a turn costs as much as two loads.
fn columns(c: u32) -> vec4<u32> { return vec4<u32>(c, c + LANES, c + 2u * LANES, c + 3u * LANES); }
fn logits(base: u32, at: vec4<u32>) -> vec4<f32> {
  let i = base + min(at, vec4<u32>(p.vocab - 1u));
  return select(vec4<f32>(-3.0e38), vec4<f32>(z[i.x], z[i.y], z[i.z], z[i.w]), at < vec4<u32>(p.vocab));
}
struct Top { first: f32, second: f32, token: u32 }
var<workgroup> row_top: Top;
var<workgroup> row_sum: vec3<f32>;
fn fold(old: Top, value: f32, column: u32) -> Top {
  let above = value > old.first;
  return Top(
    select(old.first, value, above),
    select(max(old.second, value), old.first, above),
    select(old.token, column, above),
  );
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
  first[lane] = mine.first;
  second[lane] = mine.second;
  token[lane] = mine.token;
  workgroupBarrier();
  // The lowest token wins a tie. One lane folds for all: were it all of them, the software device would fold once a subgroup.
  if (lane == 0u) {
    var all = Top(first[0], second[0], token[0]);
    for (var l = 1u; l < min(LANES, p.vocab); l++) {
      if (first[l] > all.first || (first[l] == all.first && token[l] < all.token)) {
        all = Top(first[l], max(all.first, second[l]), token[l]);
      } else { all.second = max(all.second, first[l]); }
    }
    row_top = all;
  }
  workgroupBarrier();
  let top = row_top.first;
  let next = row_top.second;
  let best = row_top.token;
  var sum = vec3<f32>();
  for (var c = lane; c < p.vocab; c += 4u * LANES) {
    let below = logits(base, columns(c)) - top;
    let weight = exp(below);
    let part = weight * below;
    let warm = exp(below / p.tau);
    sum += vec3<f32>(weight.x, part.x, warm.x);
    sum += vec3<f32>(weight.y, part.y, warm.y);
    sum += vec3<f32>(weight.z, part.z, warm.z);
    sum += vec3<f32>(weight.w, part.w, warm.w);
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    var total = vec3<f32>();
    for (var l = 0u; l < LANES; l++) { total += sums[l]; }
    row_sum = total;
  }
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
  if (lane != 0u) { return; }
  let who = info[row];
  var choice = best;
  if (p.mode == 1u) {
    let word = philox(vec4<u32>(0u, who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.domain)).x;
    // Inverse CDF over the lanes' sums, then over one lane's tokens: lane, lane + LANES, ...
    var left = uniform01(word) * all.z;
    var l = 0u;
    var lastLane = 0u;
    for (var i = 0u; i < LANES; i++) { if (sums[i].z > 0.0) { lastLane = i; } }
    loop {
      if (l == lastLane || left < sums[l].z) { break; }
      left -= sums[l].z;
      l++;
    }
    choice = l;
    for (var c = l; c < p.vocab; c += LANES) {
      let weight = exp((z[base + c] - top) / p.tau);
      if (weight > 0.0) { choice = c; }
      if (left < weight) { break; }
      left -= weight;
    }
  }
  var value = 0.0;
  if (p.mode == 1u) { value = z[base + choice] - top; }
  let at = who.x * p.columns + p.column;
  tokens[at] = choice;
  chosen[row] = choice;
  stats[at] = vec4<f32>(value / p.tau - log(all.z), log(all.x) - all.y / all.x, top - next, top);
}
