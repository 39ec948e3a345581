// Which steps mix neighbours, told beside a draw (choose.wgsl): top[r] = the row's most probable token where its step does, else NO_ROW. A
// share rho of the steps mix, by a uniform number of their own, of the stream `mixing`.
@group(0) @binding(6) var<storage, read_write> top: array<u32>;
fn further(row: u32, base: u32, member: u32, live: bool) {
  if (!live || member != 0u) { return; }
  let who = info[row];
  let word = philox(vec4<u32>(0u, who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.mixing)).x;
  top[row] = select(NO_ROW, row_top.token, uniform01(word) < p.rho);
}
