import { assertEquals, assertThrows } from "@std/assert";
import { createMatrix, downloadMatrix, freeMatrix, type Matrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { nearRows } from "../../gpu/ops/few/neighbours.ts";
import { gather } from "../../gpu/ops/gather/gather.ts";
import { matmulNN, matmulNT } from "../../gpu/ops/matmul/matmul.ts";
import { uploadBlocks } from "../../gpu/ops/repack/upload_blocks.ts";
import type { QuantType } from "../../gpu/quantised.ts";
import * as reference from "../reference/matmul.ts";
import { addInto, dot } from "../reference/support.ts";
import { dequantised, randomBlocks } from "./random_blocks.ts";
import { assertClose, assertSameBits, openTestGpu, random32, type TestGpu } from "./support.ts";

const TYPES: QuantType[] = ["q8_0", "q4_0", "q4_1"];
const broadcast = await openTestGpu({ matmulFamily: "broadcast" });
const u32Only = await openTestGpu({ matmulFamily: "broadcast", forbidU64: true });
const tiles = await openTestGpu({ matmulFamily: "tile" });
// Weights of more than 64 rows of 96 columns come in several chunks.
const small = await openTestGpu({ matmulFamily: "broadcast", maxBinding: 6200 });
const FAMILIES = [["broadcast", broadcast], ["without u64", u32Only], ["tile", tiles], [
  "chunks",
  small,
]] as const;

/** A quantised matrix, and its numbers. */
function make(t: TestGpu, type: QuantType, seed: number, rows: number, cols: number) {
  const bytes = randomBlocks(type, seed, rows, cols);
  const matrix = createMatrix(t.gpu, rows, cols, type, `test ${type}`);
  uploadBlocks(t.gpu, matrix, 0, bytes);
  return { matrix, values: dequantised(type, bytes), [Symbol.dispose]: () => freeMatrix(t.gpu, matrix) };
}

for (const [family, t] of FAMILIES) {
  for (const type of TYPES) {
    Deno.test(`${family}: ${type} on the device stands for what the file's blocks do`, async () => {
      for (const [rows, cols] of [[1, 32], [7, 64], [75, 96], [130, 320]]) {
        if (t === small && cols > 96) continue;
        using q = make(t, type, 1, rows, cols);
        assertEquals(await downloadMatrix(t.gpu, q.matrix), Float32Array.from(q.values));
      }
    });

    Deno.test(`${family}: ${type} times rows, and rows times ${type}, against f64`, async () => {
      for (
        const [m, n, k] of [[1, 5, 32], [2, 75, 96], [3, 64, 64], [5, 40, 96], [8, 100, 64], [13, 33, 96], [
          40,
          132,
          64,
        ]]
      ) {
        using q = make(t, type, 2, n, k);
        const [x, a, old] = [random32(3, m * k), random32(4, m * n), random32(5, m * n)];
        const product = reference.matmulNT(x, q.values, m, k, n);
        const y = t.blank(m, n);
        matmulNT(t.gpu, t.f32(x, [m, k]), q.matrix, y);
        assertClose(`NT ${type} ${m}, ${n}, ${k}`, await t.read(y), product);
        const added = t.f32(old, [m, n]);
        matmulNT(t.gpu, t.f32(x, [m, k]), q.matrix, added, { accumulate: true });
        assertClose(`NT added ${type} ${m}, ${n}, ${k}`, await t.read(added), addInto(product, old));
        const dx = t.blank(m, k);
        matmulNN(t.gpu, t.f32(a, [m, n]), q.matrix, dx);
        assertClose(
          `NN ${type} ${m}, ${n}, ${k}`,
          await t.read(dx),
          reference.matmulNN(a, q.values, m, n, k),
        );
      }
    });

    Deno.test(`${family}: ${type} gives the bits that its numbers give in f32, row by row`, async () => {
      const [n, k] = [96, 64];
      using q = make(t, type, 6, n, k);
      const plain = t.matrix(q.values, n, k);
      for (const m of [1, 2, 3, 5, 8, 9, 16, 24, 33, 130]) {
        for (const [multiply, inner, outer] of [[matmulNT, k, n], [matmulNN, n, k]] as const) {
          const x = t.f32(random32(7, m * inner), [m, inner]);
          const out = [q.matrix, plain].map((matrix: Matrix) => {
            const y = t.blank(m, outer);
            multiply(t.gpu, x, matrix, y);
            return y;
          });
          assertSameBits(`${type}, ${m} rows`, await t.read(out[0]), await t.read(out[1]));
        }
      }
    });

    Deno.test(`${family}: rows of ${type} by index`, async () => {
      const [rows, d] = [77, 96];
      using q = make(t, type, 8, rows, d);
      const index = [0, 76, 31, 32, 33, 5, 5, 64];
      const out = t.blank(index.length, d);
      gather(t.gpu, q.matrix, t.u32(index), out);
      const expected = index.flatMap((row) => [...q.values.subarray(row * d, (row + 1) * d)]);
      assertEquals(await t.read(out), Float32Array.from(expected));
    });

    Deno.test(`${family}: how near rows of ${type} are to some of them, by cosine`, async () => {
      const [rows, d] = [77, 96];
      using q = make(t, type, 8, rows, d);
      const rowOf = (v: number) => q.values.subarray(v * d, (v + 1) * d);
      const tops = [0, 76, 31];
      const near = t.blank(tops.length, rows);
      nearRows(t.gpu, q.matrix, t.u32(tops), near);
      const wanted = tops.flatMap((top) =>
        Array.from(
          { length: rows },
          (_, v) => v === top ? 0 : dot(rowOf(v), rowOf(top)) / Math.max(1e-30, Math.hypot(...rowOf(v))),
        )
      );
      const found = await t.read(near);
      tops.forEach((top, r) => found[r * rows + top] = 0);
      assertClose("cosines", found, wanted);
    });
  }
}

for (const type of TYPES) {
  Deno.test(`${type} written in parts of odd numbers of rows`, async () => {
    for (const t of [broadcast, small]) {
      const [rows, cols] = [225, 64];
      const bytes = randomBlocks(type, 9, rows, cols);
      const matrix = createMatrix(t.gpu, rows, cols, type, "parts");
      const rowBytes = bytes.length / rows;
      for (let row = 0, part = 1; row < rows; row += part, part += 2) {
        uploadBlocks(t.gpu, matrix, row, bytes.slice(row * rowBytes, (row + part) * rowBytes));
        part = Math.min(part, rows - row);
      }
      assertEquals(await downloadMatrix(t.gpu, matrix), Float32Array.from(dequantised(type, bytes)));
      freeMatrix(t.gpu, matrix);
    }
  });

  Deno.test(`${type}: the vocabulary of 151,936, and rows of 8,192`, async () => {
    for (const t of [broadcast, tiles]) {
      for (const [n, k] of [[151936, 32], [40, 8192]]) {
        using q = make(t, type, 10, n, k);
        for (const m of [2, 9]) {
          const [x, a] = [random32(11, m * k), random32(12, m * n)];
          const [y, dx] = [t.blank(m, n), t.blank(m, k)];
          matmulNT(t.gpu, t.f32(x, [m, k]), q.matrix, y);
          matmulNN(t.gpu, t.f32(a, [m, n]), q.matrix, dx);
          assertClose(
            `NT ${type} ${m}, ${n}, ${k}`,
            await t.read(y),
            reference.matmulNT(x, q.values, m, k, n),
          );
          assertClose(
            `NN ${type} ${m}, ${n}, ${k}`,
            await t.read(dx),
            reference.matmulNN(a, q.values, m, n, k),
          );
        }
      }
    }
  });
}

Deno.test("wrong uses of quantised weights say what is wrong", () => {
  const { gpu } = broadcast;
  assertThrows(
    () => createMatrix(gpu, 4, 40, "q8_0", "odd"),
    Error,
    "Cannot create odd[4, 40] in q8_0: rows must be multiples of 32",
  );
  const matrix = createMatrix(gpu, 4, 64, "q4_0", "w");
  assertThrows(
    () => uploadRows(gpu, matrix, 0, new Float32Array(64)),
    Error,
    "it is q4_0, written by its blocks",
  );
  assertThrows(() => uploadBlocks(gpu, matrix, 0, new Uint8Array(35)), Error, "a row takes 36");
  assertThrows(() => uploadBlocks(gpu, matrix, 3, new Uint8Array(72)), Error, "it has 4");
  freeMatrix(gpu, matrix);
  const floats = createMatrix(gpu, 4, 64, "f32", "floats");
  assertThrows(() => uploadBlocks(gpu, floats, 0, new Uint8Array(36)), Error, "it is f32");
  freeMatrix(gpu, floats);
});
