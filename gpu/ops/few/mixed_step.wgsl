/// Whether a row's step mixes neighbours: a share rho of them do, by a uniform number of the step's own.
fn mixes(row: u32) -> bool {
  let who = info[row];
  return uniform01(philox(vec4<u32>(0u, who.w + p.shift, who.y, p.step), vec2<u32>(p.seed, p.domain)).x) < p.rho;
}
