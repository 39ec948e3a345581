// k tokens of each row, drawn one apart from another by a uniform number each, after a greedy choice (choose.wgsl). ids u32 [rows, k],
// values [rows, k] = 1 / k. The first becomes the step's token.
@group(0) @binding(6) var<storage, read_write> ids: array<u32>;
@group(0) @binding(7) var<storage, read_write> values: array<f32>;
fn further(row: u32, base: u32, member: u32, live: bool) {
  if (!live) { return; }
  let who = info[row];
  // The first member also stored the choice: the later store of one invocation holds.
  for (var j = member; j < p.k; j += MEMBERS) {
    let token = drawn(who, j, base);
    ids[row * p.k + j] = token;
    values[row * p.k + j] = 1.0 / f32(p.k);
    if (j == 0u) { tokens[who.x * p.columns + p.column] = token; }
  }
}
