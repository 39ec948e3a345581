// A step among neighbours (N-GRPO, arXiv 2606.10768). near [rows, ldz], what cosines.wgsl left: its k largest are the most probable
// token and its nearest. Where the step mixes (top[r] is no NO_ROW), values are 1 / k, or with weighted 1 softmax(logits / tau) among the k, and the first
// becomes the step's token. Else ids are the token that stands there already, k times, with values 1, 0, ..., 0. logits [rows, ldz].
// ids u32 [rows, k], values [rows, k]; info[r] = (row, _, _, _). One workgroup a row, LANES members (largest.wgsl).
struct Params {
  rows: u32, vocab: u32, ldz: u32, k: u32, columns: u32, column: u32, tau: f32, weighted: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> near: array<f32>;
@group(0) @binding(2) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> ids: array<u32>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(6) var<storage, read> logits: array<f32>;
@group(0) @binding(7) var<storage, read> mixed_top: array<u32>;
const MEMBERS = LANES;
struct Top { first: f32, second: f32, token: u32 }
var<workgroup> tops: array<Top, LANES>;
fn barrier() { workgroupBarrier(); }
fn logit(at: u32) -> f32 { return near[at]; }
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let at = info[row].x * p.columns + p.column;
  if (mixed_top[row] == NO_ROW) {
    for (var j = lane; j < p.k; j += LANES) {
      ids[row * p.k + j] = tokens[at];
      values[row * p.k + j] = select(0.0, 1.0, j == 0u);
    }
    return;
  }
  let base = row * p.ldz;
  var best = NOTHING;
  for (var c = lane; c < p.vocab; c += LANES) {
    let one = Offer(near[base + c], c);
    if (before(one, best)) { best = one; }
  }
  tops[lane] = Top(best.value, best.value, best.column);
  barrier();
  takeLargest(base, lane);
  barrier();
  // The first is the most probable.
  let top = logits[base + few_ids[0]];
  var sum = 0.0;
  for (var j = 0u; j < p.k; j++) { sum += weightOf(base, j, top); }
  for (var j = lane; j < p.k; j += LANES) {
    ids[row * p.k + j] = few_ids[j];
    values[row * p.k + j] = weightOf(base, j, top) / sum;
  }
  if (lane == 0u) { tokens[at] = few_ids[0]; }
}
fn weightOf(base: u32, j: u32, top: f32) -> f32 {
  return select(1.0, exp((logits[base + few_ids[j]] - top) / p.tau), p.weighted == 1u);
}
