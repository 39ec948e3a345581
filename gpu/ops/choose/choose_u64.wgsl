// The passes of choose.wgsl with loads and stores of eight columns, four words of 64 bits: on the software device one costs the
// same whether it takes 4 bytes or 32. It is to choose_scalar.wgsl what other operations' vec8 kernels are to theirs. An
// invocation holds the sums of eight lanes, MEMBERS invocations a row, ROWS rows a workgroup; the lanes' sums are the same.
@group(0) @binding(1) var<storage, read_write> z: array<vec4<u64>>;
// Columns 0, 2, 4, 6 of eight, and columns 1, 3, 5, 7: the low and the high words, not the first four and the last as in vec8.ts.
struct EvenOdd { even: vec4<f32>, odd: vec4<f32> }
struct Tops { first: vec4<f32>, second: vec4<f32>, token: vec4<u32> }
struct Sums { weight: vec4<f32>, part: vec4<f32>, warm: vec4<f32> }
const EVEN = vec4<u32>(0u, 2u, 4u, 6u);
const ODD = vec4<u32>(1u, 3u, 5u, 7u);
fn unpacked(words: vec4<u64>) -> EvenOdd {
  return EvenOdd(bitcast<vec4<f32>>(vec4<u32>(words)), bitcast<vec4<f32>>(vec4<u32>(words >> vec4<u32>(32u))));
}
fn packed(values: EvenOdd) -> vec4<u64> {
  return vec4<u64>(bitcast<vec4<u32>>(values.even)) | (vec4<u64>(bitcast<vec4<u32>>(values.odd)) << vec4<u32>(32u));
}
fn logits(base: u32, c: u32) -> EvenOdd {
  let values = unpacked(z[(base + c) / 8u]);
  let none = vec4<f32>(-3.0e38);
  return EvenOdd(
    select(none, values.even, c + EVEN < vec4<u32>(p.vocab)),
    select(none, values.odd, c + ODD < vec4<u32>(p.vocab)),
  );
}
fn logit(at: u32) -> f32 {
  let values = unpacked(z[at / 8u]);
  return select(values.even, values.odd, (at & 1u) == 1u)[(at / 2u) & 3u];
}
fn fold(old: Tops, value: vec4<f32>, column: vec4<u32>) -> Tops {
  let above = value > old.first;
  return Tops(
    select(old.first, value, above),
    select(max(old.second, value), old.first, above),
    select(old.token, column, above),
  );
}
fn add(old: Sums, weight: vec4<f32>, below: vec4<f32>, warm: vec4<f32>) -> Sums {
  return Sums(old.weight + weight, fma(weight, below, old.part), old.warm + warm);
}
// Weights are at most 1 over the largest, 1: what is far below NEGLIGIBLE is 0 before the sum is known.
fn kept(warm: vec4<f32>) -> vec4<f32> { return select(warm, vec4<f32>(), warm < vec4<f32>(0.5 * NEGLIGIBLE)); }
fn share(warm: vec4<f32>, all: f32) -> vec4<f32> {
  let weight = warm / all;
  return select(weight, vec4<f32>(), weight < vec4<f32>(NEGLIGIBLE));
}
@compute @workgroup_size(MEMBERS * ROWS)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let row = (wg.y * n.x + wg.x) * ROWS + index / MEMBERS;
  let member = index % MEMBERS;
  let live = row < p.rows;
  let base = row * p.ldz;
  let end = select(0u, p.vocab, live);
  var even = Tops(vec4<f32>(-3.0e38), vec4<f32>(-3.0e38), 8u * member + EVEN);
  var odd = Tops(vec4<f32>(-3.0e38), vec4<f32>(-3.0e38), 8u * member + ODD);
  for (var c = 8u * member; c < end; c += LANES) {
    let values = logits(base, c);
    even = fold(even, values.even, c + EVEN);
    odd = fold(odd, values.odd, c + ODD);
  }
  for (var i = 0u; i < 4u; i++) {
    let lane = 8u * member + 2u * i;
    tops[lane] = Top(even.first[i], even.second[i], even.token[i]);
    tops[lane + 1u] = Top(odd.first[i], odd.second[i], odd.token[i]);
  }
  barrier();
  if (member == 0u) { row_top = highest(); }
  barrier();
  let top = row_top.first;
  var evens = Sums();
  var odds = Sums();
  for (var c = 8u * member; c < end; c += LANES) {
    let values = logits(base, c);
    let below = EvenOdd(values.even - top, values.odd - top);
    let warm = EvenOdd(exp(below.even / p.tau), exp(below.odd / p.tau));
    evens = add(evens, exp(below.even), below.even, warm.even);
    odds = add(odds, exp(below.odd), below.odd, warm.odd);
    if (p.mode == 2u) { z[(base + c) / 8u] = packed(EvenOdd(kept(warm.even), kept(warm.odd))); }
  }
  for (var i = 0u; i < 4u; i++) {
    let lane = 8u * member + 2u * i;
    sums[lane] = vec3<f32>(evens.weight[i], evens.part[i], evens.warm[i]);
    sums[lane + 1u] = vec3<f32>(odds.weight[i], odds.part[i], odds.warm[i]);
  }
  barrier();
  if (member == 0u) { row_sum = total(); }
  barrier();
  let all = row_sum;
  if (p.mode == 2u) {
    // Columns that are no tokens were read by no lane.
    let tokens_end = (end + 7u) / 8u * 8u;
    for (var c = 8u * member; c < select(0u, p.ldz, live); c += LANES) {
      let warm = unpacked(z[(base + c) / 8u]);
      let weights = packed(EvenOdd(share(warm.even, all.z), share(warm.odd, all.z)));
      z[(base + c) / 8u] = select(vec4<u64>(), weights, c < tokens_end);
    }
  }
  if (live && member == 0u) { finish(row, base); }
  further(row, base, member, live);
}
