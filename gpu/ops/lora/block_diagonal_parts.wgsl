// What block_diagonal.wgsl and block_diagonal_backward.wgsl share. B [rows, rank] has one to three parts of rows; the
// second and the third begin at rows start1 and start2. Bindings hold rows from `first` on: x from xAt, n of y from yAt.
struct Params { n: u32, rank: u32, parts: u32, start1: u32, start2: u32, first: u32, xAt: u32, yAt: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
const LANES = 64u;
// The part of a row, counted from the first that the bindings hold.
fn partOf(row: u32) -> u32 {
  let i = p.first + row;
  return select(0u, 1u, i >= p.start1) + select(0u, 1u, i >= p.start2);
}
