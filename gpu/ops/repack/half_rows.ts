import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { paddedCols, weightIndex } from "../../panels.ts";
import type { Tensor } from "../../tensor.ts";
import code from "./half_rows.wgsl" with { type: "text" };

/** Numbers in rows of `cols`, from element `first` of a tensor on: f32, or f16 two to a word. */
interface Rows {
  tensor: Tensor;
  type: "f32" | "f16";
  first: number;
  cols: number;
}

/** WGSL of `pair(i, both)`: elements i and i + 1 as a word of f16; the second is 0 where it is none of the row. */
const PAIRS = {
  f32: `alias T = f32;
fn pair(i: u32, both: bool) -> u32 {
  var second = 0.0;
  if (both) { second = source[i + 1u]; }
  return pack2x16float(vec2<f32>(source[i], second));
}
`,
  f16: `alias T = u32;
fn half(i: u32) -> u32 { return (source[i >> 1u] >> ((i & 1u) * 16u)) & 0xffffu; }
fn pair(i: u32, both: bool) -> u32 {
  var second = 0u;
  if (both) { second = half(i + 1u); }
  return half(i) | (second << 16u);
}
`,
};

const PLACES = `fn weightIndex(row: u32, col: u32) -> u32 { return ${
  weightIndex("f16", "row", "col", "p.width")
}; }
`;

/** Writes `count` rows to a chunk of a matrix of f16, from its row `row0` on; numbers of f32 are rounded. */
export function halfRows(
  gpu: Gpu,
  { tensor, type, first, cols }: Rows,
  chunk: Tensor,
  row0: number,
  count: number,
): void {
  const width = paddedCols("f16", cols);
  run(
    gpu,
    { label: `half_rows_${type}`, code: () => PAIRS[type] + PLACES + code },
    [tensor, chunk],
    { rows: count, cols, width, first, row0 },
    grid(Math.ceil(count * width / 2 / 64)),
  );
}
