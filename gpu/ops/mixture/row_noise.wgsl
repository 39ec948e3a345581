// The noise of four dimensions of a row, c = dimension >> 2: of the kernel's parameters shift, pairs, seed, domain and step, and of
// who = info[row] = (row, rollout, _, position). pairs 1: rollouts 2 i and 2 i + 1 have the noise of rollout i, the second with the other sign.
fn row_noise(c: u32, who: vec4<u32>) -> vec4<f32> {
  let rollout = select(who.y, who.y >> 1u, p.pairs == 1u);
  let side = select(1.0, -1.0, p.pairs == 1u && (who.y & 1u) == 1u);
  return side * normal4(vec4<u32>(c, who.w + p.shift, rollout, p.step), vec2<u32>(p.seed, p.domain));
}
