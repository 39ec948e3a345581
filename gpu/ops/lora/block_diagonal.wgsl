// y[i, part(i) rank + k] = scale x[i, k], 0 in the other parts' columns. x = B [rows, rank], y [rows, parts rank].
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.y * n.x + wg.x) * LANES + lane;
  if (at >= p.n) { return; }
  let width = p.parts * p.rank;
  let row = at / width;
  let col = at % width;
  var value = 0.0;
  if (col / p.rank == partOf(row)) { value = p.scale * x[p.xAt + row * p.rank + col % p.rank]; }
  y[p.yAt + at] = value;
}
