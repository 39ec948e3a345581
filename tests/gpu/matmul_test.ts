import { assert, assertThrows } from "@std/assert";
import { downloadMatrix, type Matrix } from "../../gpu/matrix.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import * as reference from "../reference/matmul.ts";
import { addInto } from "../reference/support.ts";
import { assertClose, assertSameBits, openTestGpu, random16, random32, type TestGpu } from "./support.ts";

const broadcast = await openTestGpu({ matmulFamily: "broadcast" });
const tiles = await openTestGpu({ matmulFamily: "tile" });
const u32Only = await openTestGpu({ matmulFamily: "broadcast", forbidU64: true });
// A row of 24 f32 takes 96 bytes: weights of 25 rows and more come in several chunks.
const small = await openTestGpu({ matmulFamily: "broadcast", maxBinding: 2400 });
const smallTiles = await openTestGpu({ matmulFamily: "tile", maxBinding: 2400 });
// Rows of f16 come in panels of 64: those of 32 columns take 4 KiB, of 64 twice that, and a chunk is one.
const panels = await openTestGpu({ matmulFamily: "broadcast", maxBinding: 8192 });
const panelTiles = await openTestGpu({ matmulFamily: "tile", maxBinding: 8192 });
const FAMILIES = [["broadcast", broadcast, small, panels], ["tile", tiles, smallTiles, panelTiles]] as const;

type DType = "f32" | "f16";
const randomOf = (dtype: DType) => dtype === "f16" ? random16 : random32;

/** x [m, k] times the transpose of w [n, k], onto what is there if `accumulate`. */
async function nt(t: TestGpu, m: number, k: number, n: number, dtype: DType, accumulate = false) {
  const [x, w, before] = [random32(1, m * k), randomOf(dtype)(2, n * k), random32(3, m * n)];
  const out = accumulate ? t.f32(before, [m, n]) : t.blank(m, n);
  matmulNT(t.gpu, t.f32(x, [m, k]), t.matrix(w, n, k, dtype), out, { accumulate });
  const product = reference.matmulNT(x, w, m, k, n);
  const expected = accumulate ? addInto(product, before) : product;
  assertClose(`NT ${m}, ${k}, ${n} ${dtype}`, await t.read(out), expected);
}

/** a [m, n] times w [n, k]. */
async function nn(t: TestGpu, m: number, n: number, k: number, dtype: DType, accumulate = false) {
  const [a, w, before] = [random32(4, m * n), randomOf(dtype)(5, n * k), random32(6, m * k)];
  const out = accumulate ? t.f32(before, [m, k]) : t.blank(m, k);
  matmulNN(t.gpu, t.f32(a, [m, n]), t.matrix(w, n, k, dtype), out, { accumulate });
  const product = reference.matmulNN(a, w, m, n, k);
  const expected = accumulate ? addInto(product, before) : product;
  assertClose(`NN ${m}, ${n}, ${k} ${dtype}`, await t.read(out), expected);
}

/** The transpose of dy [m, n] times x [m, k]. */
async function tn(t: TestGpu, m: number, n: number, k: number, accumulate = false) {
  const [dy, x, before] = [random32(7, m * n), random32(8, m * k), random32(9, n * k)];
  const grad = t.matrix(accumulate ? before : new Float64Array(n * k).fill(-7), n, k);
  matmulTN(t.gpu, t.f32(dy, [m, n]), t.f32(x, [m, k]), grad, { accumulate });
  const product = reference.matmulTN(dy, x, n, m, k);
  const expected = accumulate ? addInto(product, before) : product;
  assertClose(`TN ${m}, ${n}, ${k}`, await downloadMatrix(t.gpu, grad), expected);
}

// Rows whose product alone is compared with that among others.
const ALONE = [0, 1, 2, 4, 7, 12, 23, 32, 64, 129];

/** Fails unless rows of an m-row product have the bits they have alone, for the numbers of rows in use. */
async function assertRowInvariant(
  t: TestGpu,
  what: string,
  multiply: typeof matmulNT,
  values: Float64Array,
  matrix: Matrix,
) {
  const [inner, outer] = multiply === matmulNT ? [matrix.cols, matrix.rows] : [matrix.rows, matrix.cols];
  const run = async (row: number, count: number) => {
    const out = t.blank(count, outer);
    multiply(t.gpu, t.f32(values.subarray(row * inner, (row + count) * inner), [count, inner]), matrix, out);
    return await t.read(out);
  };
  const alone = new Map<number, Float32Array>();
  for (const row of ALONE) alone.set(row, await run(row, 1));
  for (const m of [2, 3, 5, 8, 13, 24, 33, 130]) {
    const all = await run(0, m);
    for (const [row, expected] of alone) {
      if (row >= m) break;
      assertSameBits(`${what}: row ${row} of ${m}`, all.slice(row * outer, (row + 1) * outer), expected);
    }
  }
}

// Aligned and not, smaller and larger than every tile, one row, one column, one term.
const SIZES: [number, number, number][] = [
  [1, 1, 1],
  [3, 4, 5],
  [2, 60, 76],
  [7, 31, 33],
  [5, 24, 61],
  [13, 64, 64],
  [33, 60, 180],
  [64, 256, 128],
  [130, 100, 68],
  [131, 72, 75],
  [257, 40, 260],
];

for (const [family, t, chunked, inPanels] of FAMILIES) {
  for (const [m, k, n] of SIZES) {
    Deno.test(`${family}: three products of ${m}, ${k}, ${n}, f32 and f16, added or not`, async () => {
      for (const accumulate of [false, true]) {
        for (const dtype of ["f32", "f16"] as const) {
          await nt(t, m, k, n, dtype, accumulate);
          await nn(t, m, n, k, dtype, accumulate);
        }
        await tn(t, m, n, k, accumulate);
      }
    });
  }

  Deno.test(`${family}: weights in chunks`, async () => {
    // 24 columns: 24 rows a chunk; 150 and 300: a few rows or one row a chunk; 23: odd widths.
    for (const [m, n, k] of [[3, 100, 24], [40, 101, 24], [9, 55, 23], [6, 12, 150], [17, 20, 300]]) {
      await nt(chunked, m, k, n, "f32");
      await nn(chunked, m, n, k, "f32");
      await nn(chunked, m, n, k, "f32", true);
      await tn(chunked, m, n, k, true);
    }
    // Columns in several runs, a last run or panel that is not full, odd widths.
    for (const [m, n, k] of [[1, 65, 64], [3, 300, 24], [9, 155, 23], [17, 140, 60], [40, 131, 33]]) {
      await nt(inPanels, m, k, n, "f16");
      await nn(inPanels, m, n, k, "f16");
      await nn(inPanels, m, n, k, "f16", true);
    }
  });

  Deno.test(`${family}: the vocabulary of 151,936 as outputs, as terms and as rows of a gradient`, async () => {
    for (const dtype of ["f32", "f16"] as const) {
      await nt(t, 2, 16, 151936, dtype);
      await nn(t, 2, 151936, 16, dtype);
    }
    await nn(t, 33, 151936, 8, "f32");
    await tn(t, 3, 151936, 8);
    await tn(t, 151936, 8, 12); // rows as terms
  });

  Deno.test(`${family}: an odd vocabulary of 50,257, and rows of 8,192`, async () => {
    await nt(t, 3, 5, 50257, "f32");
    await nn(t, 3, 50257, 6, "f32");
    await nn(t, 2, 50257, 5, "f16");
    await tn(t, 50257, 3, 5);
    for (const dtype of ["f32", "f16"] as const) {
      await nt(t, 5, 8192, 40, dtype);
      await nn(t, 5, 40, 8192, dtype);
    }
    await nt(t, 5, 8191, 9, "f32");
    await tn(t, 9, 24, 8192);
  });

  Deno.test(`${family}: 70,000 rows`, async () => {
    await nt(t, 70000, 8, 12, "f32");
    await tn(t, 70000, 12, 8);
  });

  Deno.test(`${family}: each row has the bits it has alone, whatever the number of rows`, async () => {
    for (const [k, n] of [[60, 180], [64, 75], [80, 80], [192, 32], [31, 33], [100, 8], [512, 300]]) {
      for (const dtype of ["f32", "f16"] as const) {
        const w = randomOf(dtype)(10, n * k);
        const a = [random32(11, 130 * k), random32(12, 130 * n)] as const;
        const matrix = t.matrix(w, n, k, dtype);
        await assertRowInvariant(t, `NT ${k}, ${n} ${dtype}`, matmulNT, a[0], matrix);
        await assertRowInvariant(t, `NN ${n}, ${k} ${dtype}`, matmulNN, a[1], matrix);
      }
    }
  });

  Deno.test(`${family}: chunks and their number change no bit of a row`, async () => {
    const [m, n, k] = [5, 100, 24];
    const [w, x, a] = [random32(13, n * k), random32(14, m * k), random32(15, m * n)];
    const results = [];
    for (const on of [t, chunked]) {
      const [y, dx] = [on.blank(m, n), on.blank(m, k)];
      matmulNT(on.gpu, on.f32(x, [m, k]), on.matrix(w, n, k), y);
      matmulNN(on.gpu, on.f32(a, [m, n]), on.matrix(w, n, k), dx);
      results.push([await on.read(y), await on.read(dx)]);
    }
    assertSameBits("NT", results[1][0], results[0][0]);
    // On GPUs a chunk of few rows ends a segment of the sum; see matmul_order_test.ts for those of whole ones.
    if (family === "broadcast") assertSameBits("NN", results[1][1], results[0][1]);
  });
}

Deno.test("products of few terms keep B stationary, with the bits of those that do not", async () => {
  // Every number of terms for which it is: rows of an iteration must not reach into the next workgroup's.
  const each = Array.from({ length: 11 }, (_, i) => [150 + i, 32 + 16 * i, 24]);
  for (
    const [rows, terms, columns] of [[128, 32, 8], [131, 64, 72], [700, 80, 24], [140, 176, 100], ...each]
  ) {
    const [x, nt, nn] = [rows, columns, columns].map((n, i) => random32(i, n * terms));
    const old = random32(3, rows * columns);
    const [stationary, not] = await Promise.all([broadcast, u32Only].map(async (on) => {
      const [outNT, outNN] = [0, 1].map(() => on.f32(old, [rows, columns]));
      const grad = on.matrix(old, rows, columns);
      const tx = on.f32(x, [rows, terms]);
      for (const accumulate of [false, true]) {
        matmulNT(on.gpu, tx, on.matrix(nt, columns, terms), outNT, { accumulate });
        matmulNN(on.gpu, tx, on.matrix(nn, terms, columns), outNN, { accumulate });
        // Rows are few here: those of the weight are many.
        matmulTN(on.gpu, on.f32(x, [terms, rows]), on.f32(nn, [terms, columns]), grad, { accumulate });
      }
      return [await on.read(outNT), await on.read(outNN), await downloadMatrix(on.gpu, grad)];
    }));
    ["nt", "nn", "tn"].forEach((kind, i) => assertSameBits(`${kind} of ${terms}`, stationary[i], not[i]));
  }
  const kernels = [...broadcast.gpu.pipelines.keys()].filter((label) => label.includes("stationary"));
  for (const kind of ["nt", "nn", "tn"]) assert(kernels.some((label) => label.startsWith(`matmul_${kind}`)));
});

Deno.test("wrong shapes throw before anything is dispatched", () => {
  const t = broadcast;
  const before = t.gpu.commands.counts.dispatches;
  const w = t.matrix(new Float64Array(30), 5, 6);
  const x = { ...t.zeros(3, 4), label: "x" };
  assertThrows(
    () => matmulNT(t.gpu, x, w, t.zeros(3, 5)),
    Error,
    "Cannot multiply x[3, 4] by [5, 6]^T: inner dimensions 4 and 6 differ",
  );
  assertThrows(
    () => matmulNN(t.gpu, x, w, t.zeros(3, 6)),
    Error,
    "Cannot multiply x[3, 4] by [5, 6]: inner dimensions 4 and 5 differ",
  );
  assertThrows(() => matmulNT(t.gpu, t.zeros(3, 6), w, t.zeros(3, 6)), Error, "by [3, 5]: shapes differ");
  assertThrows(() => matmulNN(t.gpu, t.zeros(3, 5), w, t.zeros(3, 5)), Error, "by [3, 6]: shapes differ");
  assertThrows(() => matmulTN(t.gpu, t.zeros(3, 5), t.zeros(4, 6), w), Error, "rows 3 and 4 differ");
  assertThrows(() => matmulTN(t.gpu, t.zeros(3, 5), t.zeros(3, 5), w), Error, "shapes differ");
  if (t.gpu.commands.counts.dispatches !== before) throw new Error("something was dispatched");
});
