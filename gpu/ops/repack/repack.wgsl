// GGUF blocks of whole rows into a chunk's own layout: panels of 64 rows, words of weights in ascending order within a
// run, and the scales (and minima), two rows to a word. TYPE: 0 q8_0, 1 q4_0, 2 q4_1. One invocation two rows of one block.
struct Params { rows: u32, row0: u32, blocks: u32, width: u32, count: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> quants: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<u32>;
fn half(at: u32) -> u32 { return (source[at >> 2u] >> ((at & 2u) * 8u)) & 0xffffu; }
fn word(at: u32) -> u32 { return half(at) | (half(at + 2u) << 16u); }
// The low halves of four bytes, side by side.
fn nibbles(x: u32) -> u32 {
  let y = x & 0x0f0f0f0fu;
  let z = (y | (y >> 4u)) & 0x00ff00ffu;
  return (z | (z >> 8u)) & 0xffffu;
}
fn setHalf(index: u32, value: u32) {
  let shift = (index & 1u) * 16u;
  scales[index >> 1u] = (scales[index >> 1u] & ~(0xffffu << shift)) | (value << shift);
}
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * S + lane;
  if (i >= p.count) { return; }
  let block = i % p.blocks;
  for (var r = 0u; r < 2u; r++) {
    let row = (p.row0 & ~1u) + 2u * (i / p.blocks) + r;
    if (row < p.row0 || row >= p.row0 + p.rows) { continue; }
    let at = ((row - p.row0) * p.blocks + block) * BLOCK_BYTES;
    let scale = scaleIndex(row, block);
    setHalf(scale, half(at));
    if (TYPE == 2u) { setHalf(scale + MINIMA, half(at + 2u)); }
    let to = weightIndex(row, block * 32u) / (32u / BITS); // bits would not fit in a word
    if (TYPE == 0u) {
      for (var w = 0u; w < 8u; w++) { quants[to + w] = word(at + 2u + 4u * w); }
    } else {
      let first = at + select(2u, 4u, TYPE == 2u);
      for (var w = 0u; w < 2u; w++) {
        let low = word(first + 8u * w);
        let high = word(first + 8u * w + 4u);
        // q4_0 stores weights plus 8: here they have a sign.
        let sign = select(0u, 0x88888888u, TYPE == 1u);
        quants[to + w] = (nibbles(low) | (nibbles(high) << 16u)) ^ sign;
        quants[to + 2u + w] = (nibbles(low >> 4u) | (nibbles(high >> 4u) << 16u)) ^ sign;
      }
    }
  }
}
