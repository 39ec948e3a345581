// k tokens of each row, drawn one apart from another by a uniform number each, after a greedy choice (choose.wgsl). ids u32 [rows, k],
// values [rows, k] = 1 / k, or with weighted 1 p[id_j] / sum over the k of p[id_l]. The first becomes the step's token.
@group(0) @binding(6) var<storage, read_write> ids: array<u32>;
@group(0) @binding(7) var<storage, read_write> values: array<f32>;
var<LANE_MEMORY> few_weight: array<f32, MOST_FEW>;
fn further(row: u32, base: u32, member: u32, live: bool) {
  let who = info[row];
  // The first member also stored the choice: the later store of one invocation holds.
  for (var j = member; live && j < p.k; j += MEMBERS) {
    let token = drawn(who, j, base);
    few_weight[j] = select(1.0, exp((logit(base + token) - row_top.first) / p.tau), p.weighted == 1u);
    ids[row * p.k + j] = token;
    if (j == 0u) { tokens[who.x * p.columns + p.column] = token; }
  }
  barrier();
  var sum = 0.0;
  for (var j = 0u; j < p.k; j++) { sum += few_weight[j]; }
  for (var j = member; live && j < p.k; j += MEMBERS) { values[row * p.k + j] = few_weight[j] / sum; }
}
