/** Rows of f16 by panels: as they are written, in parts and at odd widths, so they are read back, looked up and multiplied. */
import { assertEquals, assertThrows } from "@std/assert";
import { createMatrix, downloadMatrix, freeMatrix } from "../../gpu/matrix.ts";
import { gather } from "../../gpu/ops/gather/gather.ts";
import { castToHalf } from "../../gpu/ops/repack/cast_to_half.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { openTestGpu, random16, random32 } from "./support.ts";

const t = await openTestGpu();
// A panel of 64 rows of 96 columns takes 12 KiB: of wider ones a chunk is one panel.
const small = await openTestGpu({ maxBinding: 12288 });
// One column, odd ones, whole runs of 32 and broken ones; one row, whole panels of 64 and broken ones.
const SIZES = [[1, 1], [3, 5], [7, 2], [64, 32], [65, 33], [101, 24], [130, 66], [200, 96], [129, 95]];

Deno.test("rows of f16 are rounded, written in parts, and read as they are", async () => {
  for (const on of [t, small]) {
    for (const [rows, cols] of SIZES) {
      const matrix = createMatrix(on.gpu, rows, cols, "f16", "half");
      const data = Float32Array.from(random32(rows, rows * cols));
      for (let row = 0, part = 1; row < rows; row += part, part = Math.min(part + 2, rows - row)) {
        const some = data.slice(row * cols, (row + part) * cols);
        // As they come from a file of f16 and from any other.
        uploadRows(on.gpu, matrix, row, part % 4 === 1 ? some : new Float16Array(some));
      }
      const expected = data.map(Math.f16round);
      assertEquals(await downloadMatrix(on.gpu, matrix), expected, `[${rows}, ${cols}]`);
      uploadRows(on.gpu, matrix, 0, new Float16Array(data.map((value) => -value)));
      assertEquals(await downloadMatrix(on.gpu, matrix), expected.map((value) => -value));
      const index = [rows - 1, 0, rows >> 1];
      const out = on.blank(index.length, cols);
      gather(on.gpu, matrix, on.u32(index), out);
      const wanted = index.flatMap((row) => [...expected.subarray(row * cols, (row + 1) * cols)]);
      assertEquals(await on.read(out), Float32Array.from(wanted, (value) => -value));
      freeMatrix(on.gpu, matrix);
    }
  }
});

Deno.test("castToHalf rounds to the nearest f16, between matrices whose chunks differ", async () => {
  for (const on of [t, small]) {
    for (const [rows, cols] of SIZES) {
      const data = Float32Array.from(random32(1, rows * cols, 8));
      // Subnormals, the largest f16, ties to even, and zero.
      data.set([2 ** -24, -3.1e-6, 65504, 2049, 2051, -0, 1e-9, 1 + 2 ** -11].slice(0, rows * cols));
      const [wide, half] = [
        createMatrix(on.gpu, rows, cols, "f32", "wide"),
        createMatrix(on.gpu, rows, cols, "f16", "half"),
      ];
      uploadRows(on.gpu, wide, 0, data);
      castToHalf(on.gpu, wide, half);
      assertEquals(await downloadMatrix(on.gpu, half), data.map(Math.f16round), `[${rows}, ${cols}]`);
      [wide, half].forEach((matrix) => freeMatrix(on.gpu, matrix));
    }
  }
});

Deno.test("the largest: a vocabulary of 151,936, and rows of 8,192, in several pieces", async () => {
  for (const [rows, cols] of [[151936, 34], [520, 8192]]) {
    const values = random16(2, 4096);
    const data = new Float16Array(rows * cols).map((_, i) => values[(i * 7) % 4096]);
    const matrix = createMatrix(t.gpu, rows, cols, "f16", "half");
    uploadRows(t.gpu, matrix, 0, data);
    const index = [rows - 1, 0, 12345 % rows];
    const out = t.blank(index.length, cols);
    gather(t.gpu, matrix, t.u32(index), out);
    const wanted = index.flatMap((row) => [...data.subarray(row * cols, (row + 1) * cols)]);
    assertEquals(await t.read(out), Float32Array.from(wanted));
    freeMatrix(t.gpu, matrix);
  }
});

Deno.test("wrong uses of f16 say what is wrong", () => {
  const [half, wide, narrow] = [[4, 8, "f16"], [4, 8, "f32"], [4, 6, "f16"]].map(([rows, cols, dtype]) =>
    createMatrix(t.gpu, rows as number, cols as number, dtype as "f16", `${dtype}`)
  );
  assertThrows(() => uploadRows(t.gpu, wide, 0, new Float16Array(8)), Error, "Cannot write f16 to f32");
  for (const [from, to] of [[half, half], [wide, wide], [wide, narrow]]) {
    assertThrows(() => castToHalf(t.gpu, from, to), Error, "Cannot cast");
  }
  [half, wide, narrow].forEach((matrix) => freeMatrix(t.gpu, matrix));
});
