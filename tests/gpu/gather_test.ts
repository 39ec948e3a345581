import { assertEquals, assertThrows } from "@std/assert";
import { gather, NO_ROW, segmentsOf, segmentSum } from "../../gpu/ops/gather/gather.ts";
import { createMatrix, downloadMatrix, freeMatrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { embeddingBackward, embeddingGather } from "../reference/embedding.ts";
import { addInto, randomIntegers } from "../reference/support.ts";
import { assertClose, BLANK, openTestGpu, random16, random32 } from "./support.ts";

const t = await openTestGpu();
// A second device whose tables come in many chunks.
const small = await openTestGpu({ maxBinding: 4096 });
// Of f16 a chunk is a panel of 64 rows at least.
const panels = await openTestGpu({ maxBinding: 8192 });

/** Indices into the table with gaps (NO_ROW), repeats, and its first and last rows. */
function indices(seed: number, rows: number, vocab: number): Uint32Array {
  const index = randomIntegers(seed, rows, vocab);
  if (rows > 4) index.set([0, vocab - 1, NO_ROW, vocab - 1], 1);
  return index;
}

for (const [where, on, onHalves] of [["one chunk", t, t], ["chunks", small, panels]] as const) {
  for (
    const { vocab, d, rows } of [
      { vocab: 75, d: 60, rows: 41 },
      { vocab: 131, d: 7, rows: 300 },
      { vocab: 50, d: 64, rows: 1 },
      { vocab: 33, d: 512, rows: 12 },
    ]
  ) {
    for (const [dtype, by] of [["f32", on], ["f16", onHalves]] as const) {
      if (by === panels && d > 64) continue;
      Deno.test(`gather of ${rows} rows of ${d} out of ${vocab}, ${dtype}, ${where}`, async () => {
        const table = (dtype === "f16" ? random16 : random32)(d, vocab * d);
        const index = indices(3, rows, vocab);
        const out = by.blank(rows, d);
        gather(by.gpu, by.matrix(table, vocab, d, dtype), by.u32(index), out);
        const known = index.map((id) => id === NO_ROW ? 0 : id);
        const expected = embeddingGather(table, known, d);
        index.forEach((id, r) => id === NO_ROW && expected.fill(BLANK, r * d, (r + 1) * d));
        assertEquals(await by.read(out), Float32Array.from(expected));
      });
    }

    Deno.test(`segment sums of ${rows} rows of ${d} into ${vocab}, ${where}`, async () => {
      const source = random32(4, rows * d);
      const before = random32(5, vocab * d);
      const index = indices(6, rows, vocab);
      const out = on.matrix(before, vocab, d);
      const by = segmentsOf(index);
      const segments = { segments: on.u32(by.segments, [by.segments.length / 4, 4]), list: on.u32(by.list) };
      segmentSum(on.gpu, on.f32(source, [rows, d]), segments, out);
      const kept = [...index.keys()].filter((r) => index[r] !== NO_ROW);
      const rowsKept = Float64Array.from(kept.flatMap((r) => [...source.subarray(r * d, (r + 1) * d)]));
      const expected = embeddingBackward(rowsKept, kept.map((r) => index[r]), vocab, d);
      assertClose("table", await downloadMatrix(on.gpu, out), addInto(before, expected));
    });
  }
}

Deno.test("gather and segment sums at rows of 8,192, and from a tensor", async () => {
  const [vocab, d, rows] = [9, 8192, 5];
  const table = random32(1, vocab * d);
  const index = [8, 0, 3, 3, 8];
  const out = t.blank(rows, d);
  gather(t.gpu, t.f32(table, [vocab, d]), t.u32(index), out);
  assertEquals(await t.read(out), Float32Array.from(embeddingGather(table, index, d)));
  const by = segmentsOf(index);
  const sums = t.zeros(vocab, d);
  segmentSum(t.gpu, out, { segments: t.u32(by.segments, [3, 4]), list: t.u32(by.list) }, sums);
  const source = embeddingGather(table, index, d);
  assertClose("sums", await t.read(sums), embeddingBackward(source, index, vocab, d));
});

Deno.test("gather from a vocabulary of 151,936, and of 70,000 rows", async () => {
  const [vocab, d] = [151936, 8];
  const table = random32(2, vocab * d);
  const index = indices(7, 70000, vocab);
  index[3] = 5;
  const out = t.blank(70000, d);
  gather(t.gpu, t.matrix(table, vocab, d), t.u32(index), out);
  assertEquals(await t.read(out), Float32Array.from(embeddingGather(table, index, d)));
});

Deno.test("30,000 rows that all name one token are summed into it", async () => {
  const [rows, d] = [30000, 4];
  const source = random32(8, rows * d);
  const by = segmentsOf(new Uint32Array(rows).fill(2));
  assertEquals([...by.segments], [2, 0, rows, 0]);
  const out = t.zeros(4, d);
  const segments = { segments: t.u32(by.segments, [1, 4]), list: t.u32(by.list) };
  segmentSum(t.gpu, t.f32(source, [rows, d]), segments, out);
  assertClose("sums", await t.read(out), embeddingBackward(source, new Uint32Array(rows).fill(2), 4, d));
});

Deno.test("segmentsOf sorts rows by target, ascending within one, and leaves NO_ROW out", () => {
  const { segments, list } = segmentsOf([7, NO_ROW, 2, 7, 2, 2]);
  assertEquals([...segments], [2, 0, 3, 0, 7, 3, 5, 0]);
  assertEquals([...list], [2, 4, 5, 0, 3]);
  assertEquals(segmentsOf([]).segments.length, 0);
});

Deno.test("gather and segment sums refuse rows of another width", () => {
  const table = t.zeros(5, 8);
  assertThrows(() => gather(t.gpu, table, t.u32([1, 2]), t.zeros(2, 4)), Error, "rows of 8, 4 needed");
  const by = { segments: t.u32([0, 0, 1, 0], [1, 4]), list: t.u32([0]) };
  assertThrows(() => segmentSum(t.gpu, t.zeros(1, 4), by, table), Error, "rows of 8, 4 needed");
});

Deno.test("a matrix in chunks comes back as it went up, row ranges included", async () => {
  for (const dtype of ["f32", "f16"] as const) {
    const data = Float32Array.from(random16(9, 100 * 24));
    const matrix = createMatrix(small.gpu, 100, 24, dtype, "matrix");
    assertEquals(matrix.chunks.length > 1, true);
    uploadRows(small.gpu, matrix, 0, data.slice(0, 50 * 24));
    uploadRows(small.gpu, matrix, 50, data.slice(50 * 24));
    assertEquals(await downloadMatrix(small.gpu, matrix), data);
    uploadRows(small.gpu, matrix, 37, new Float32Array(24 * 30).fill(3));
    data.fill(3, 37 * 24, 67 * 24);
    assertEquals(await downloadMatrix(small.gpu, matrix), data);
    freeMatrix(small.gpu, matrix);
  }
});
