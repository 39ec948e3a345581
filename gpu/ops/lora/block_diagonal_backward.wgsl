// y[i, k] += scale x[i, part(i) rank + k]: the backward of block_diagonal. x = dblocks [rows, parts rank], y = dB [rows, rank].
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.y * n.x + wg.x) * LANES + lane;
  if (at >= p.n) { return; }
  let row = at / p.rank;
  y[p.yAt + at] += p.scale * x[p.xAt + (row * p.parts + partOf(row)) * p.rank + at % p.rank];
}
