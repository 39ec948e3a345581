// Rows of numbers, two of them side by side by `pair`, into a chunk of f16 as it lies: panels of 64 rows, by `weightIndex`; what
// pads a row is 0. source from element `first` on [rows, cols], chunk from row `row0` on. One invocation a word.
struct Params { rows: u32, cols: u32, width: u32, first: u32, row0: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<T>;
@group(0) @binding(2) var<storage, read_write> chunk: array<u32>;
const LANES = 64u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * LANES + lane;
  let words = p.width / 2u;
  let row = i / words;
  let col = i % words * 2u;
  if (row >= p.rows) { return; }
  var word = 0u;
  if (col < p.cols) { word = pair(p.first + row * p.cols + col, col + 1u < p.cols); }
  chunk[weightIndex(p.row0 + row, col) / 2u] = word;
}
