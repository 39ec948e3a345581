// Noise eps on the first n columns of rows x [rows, ld], of standard deviation sigma = scale times the root mean square of these columns.
// mode 0: x becomes x + sigma eps. mode 1: x becomes factor[r] d ln pi / dx, the score of that density: eps / sigma, and with whole 1 that of
// sigma itself, (|eps|^2 - n) x / |x|^2, more; columns from n on become 0; a row longer than `clip` is scaled down to it (0: never);
// stats[r] = (the norm before, 0, 0, 0). eps: four columns a counter (column >> 2, position, rollout, step), info[r] = (_, rollout, _, position),
// position counted `shift` further. One workgroup a row, a lane the fours of columns lane, lane + LANES, ...
struct Params {
  rows: u32, n: u32, ld: u32, mode: u32, scale: f32, whole: u32, clip: f32, shift: u32, seed: u32, domain: u32, step: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> factor: array<f32>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec4<f32>>;
var<workgroup> parts: array<f32, LANES>;
fn gathered(lane: u32, own: f32) -> f32 {
  storageBarrier(); // what other lanes wrote of the row is read next
  workgroupBarrier();
  parts[lane] = own;
  workgroupBarrier();
  var all = 0.0;
  for (var i = 0u; i < LANES; i++) { all += parts[i]; }
  return all;
}
fn noise(row: u32, four: u32) -> vec4<f32> {
  let who = info[row];
  return normal4(vec4<u32>(four, who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.domain));
}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * groups.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ld;
  let fours = (p.n + 3u) / 4u;
  var own = 0.0;
  for (var c = lane; c < p.n; c += LANES) { own = fma(x[base + c], x[base + c], own); }
  let square = max(gathered(lane, own), 1e-30);
  let sigma = p.scale * sqrt(square / f32(p.n));
  if (p.mode == 0u) {
    for (var four = lane; four < fours; four += LANES) {
      let eps = noise(row, four);
      for (var i = 0u; i < min(4u, p.n - 4u * four); i++) {
        let at = base + 4u * four + i;
        x[at] = fma(sigma, eps[i], x[at]);
      }
    }
    return;
  }
  var excess = 0.0;
  if (p.whole == 1u) {
    own = 0.0;
    for (var four = lane; four < fours; four += LANES) {
      let eps = noise(row, four);
      for (var i = 0u; i < min(4u, p.n - 4u * four); i++) { own += fma(eps[i], eps[i], -1.0); }
    }
    excess = gathered(lane, own);
  }
  own = 0.0;
  for (var four = lane; four < fours; four += LANES) {
    let eps = noise(row, four);
    for (var i = 0u; i < min(4u, p.n - 4u * four); i++) {
      let at = base + 4u * four + i;
      let score = factor[row] * (eps[i] / sigma + excess * x[at] / square);
      x[at] = score;
      own = fma(score, score, own);
    }
  }
  let norm = sqrt(gathered(lane, own));
  if (lane == 0u) { stats[row] = vec4<f32>(norm, 0.0, 0.0, 0.0); }
  let shorter = select(1.0, p.clip / norm, p.clip > 0.0 && norm > p.clip);
  for (var c = lane; c < p.ld; c += LANES) { x[base + c] = select(0.0, x[base + c] * shorter, c < p.n); }
}
