// After a greedy choice (choose.wgsl): the k largest numbers of each row, descending (equal ones by ascending column), as largest.wgsl takes
// them: columns to ids u32 [rows, k], numbers to values [rows, k]. k is at most MOST_FEW and `vocab`. Number j is member j % MEMBERS's.
@group(0) @binding(6) var<storage, read_write> ids: array<u32>;
@group(0) @binding(7) var<storage, read_write> values: array<f32>;
fn further(row: u32, base: u32, member: u32, live: bool) {
  takeLargest(base, member);
  if (!live) { return; }
  for (var j = member; j < p.k; j += MEMBERS) {
    ids[row * p.k + j] = few_ids[j];
    values[row * p.k + j] = few_weight[j];
  }
}
