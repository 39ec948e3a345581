/** B of an adapter as a block-diagonal matrix, and its gradient from that of the matrix, against plain f64. */
import { assertEquals, assertThrows } from "@std/assert";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { blockDiagonal, blockDiagonalBackward } from "../../gpu/ops/lora/block_diagonal.ts";
import { addInto as add } from "../reference/support.ts";
import { assertClose, openTestGpu, random32 } from "./support.ts";

const whole = await openTestGpu();
const chunked = await openTestGpu({ maxBinding: 4096 });

const partOf = (row: number, starts: readonly number[]) => starts.filter((start) => row >= start).length - 1;

function blocksReference(
  b: Float64Array,
  starts: readonly number[],
  rank: number,
  scale: number,
): Float64Array {
  const rows = b.length / rank;
  const out = new Float64Array(rows * rank * starts.length);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < rank; k++) {
      out[(i * starts.length + partOf(i, starts)) * rank + k] = scale * b[i * rank + k];
    }
  }
  return out;
}

function backwardReference(blocks: Float64Array, starts: readonly number[], rank: number, scale: number) {
  const rows = blocks.length / rank / starts.length;
  return Float64Array.from({ length: rows * rank }, (_, at) => {
    const row = Math.floor(at / rank);
    return scale * blocks[(row * starts.length + partOf(row, starts)) * rank + at % rank];
  });
}

for (
  const { rank, rows, starts } of [
    { rank: 16, rows: 960, starts: [0, 576, 768] },
    { rank: 5, rows: 37, starts: [0, 21, 29] },
    { rank: 8, rows: 352, starts: [0, 176] },
    { rank: 1, rows: 7, starts: [0] },
    { rank: 64, rows: 28672, starts: [0, 14336] },
    { rank: 4096, rows: 3, starts: [0, 1, 2] },
  ]
) {
  for (const [name, t] of [["one chunk", whole], ["chunks of few rows", chunked]] as const) {
    if (t === chunked && (rank * starts.length > 1024 || rows > 1000)) continue; // a row has to fit
    Deno.test(`B of ${starts.length} parts, ${rows} rows of rank ${rank}, in ${name}: block-diagonal, and its backward`, async () => {
      const b = random32(1, rows * rank);
      const blocks = t.matrix(random32(2, rows * rank * starts.length), rows, rank * starts.length);
      blockDiagonal(t.gpu, t.matrix(b, rows, rank), starts, 1.75, blocks);
      const blockValues = await downloadMatrix(t.gpu, blocks);
      assertClose("blocks", blockValues, blocksReference(b, starts, rank, 1.75));
      // Exact zeros: off the blocks nothing may reach a sum.
      assertEquals(blockValues.filter((x) => x === 0).length, rows * rank * (starts.length - 1));
      const [dblocks, before] = [random32(3, blockValues.length), random32(4, b.length)];
      const db = t.matrix(before, rows, rank);
      blockDiagonalBackward(t.gpu, t.f32(dblocks, [rows, rank * starts.length]), starts, 1.75, db);
      const expected = add(before, backwardReference(dblocks, starts, rank, 1.75));
      assertClose("db", await downloadMatrix(t.gpu, db), expected);
    });
  }
}

Deno.test("shapes that do not fit are refused before anything runs", () => {
  const b = whole.matrix(random32(1, 24), 6, 4);
  const message = "in 2 parts of rank 4";
  assertThrows(
    () => blockDiagonal(whole.gpu, b, [0, 3], 1, whole.matrix(random32(1, 24), 6, 4)),
    Error,
    message,
  );
  assertThrows(() => blockDiagonalBackward(whole.gpu, whole.zeros(5, 8), [0, 3], 1, b), Error, message);
});
