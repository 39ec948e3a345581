/** Norm, SwiGLU and low-rank updates on the way into a product: in one dispatch the bits of several, and the numbers of the f64 reference. */
import { assertEquals } from "@std/assert";
import { createMatrix, freeMatrix, type Matrix } from "../../gpu/matrix.ts";
import { matmulNT } from "../../gpu/ops/matmul/matmul.ts";
import { matmulAdapted, matmulGated, matmulNormed } from "../../gpu/ops/matmul/fused.ts";
import { uploadBlocks } from "../../gpu/ops/repack/upload_blocks.ts";
import { isQuantised, type QuantType } from "../../gpu/quantised.ts";
import { rmsNorm } from "../../gpu/ops/norm/rms_norm.ts";
import { swiglu } from "../../gpu/ops/elementwise/swiglu.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import * as reference from "../reference/matmul.ts";
import { rmsNorm as rmsNormReference } from "../reference/rms_norm.ts";
import { addInto } from "../reference/support.ts";
import { swiglu as swigluReference } from "../reference/swiglu.ts";
import { dequantised, randomBlocks } from "./random_blocks.ts";
import { assertClose, assertSameBits, openTestGpu, random16, random32, type TestGpu } from "./support.ts";

const broadcast = await openTestGpu({ matmulFamily: "broadcast" });
const u32Only = await openTestGpu({ matmulFamily: "broadcast", forbidU64: true });
const tiles = await openTestGpu({ matmulFamily: "tile" });
const FAMILIES = [["broadcast", broadcast], ["without u64", u32Only], ["tile", tiles]] as const;
type BType = "f32" | "f16" | QuantType;

function weight(t: TestGpu, bType: BType, n: number, k: number): { matrix: Matrix; values: Float64Array } {
  if (!isQuantised(bType)) {
    const values = random16(n, n * k);
    return { matrix: t.matrix(values, n, k, bType), values };
  }
  const bytes = randomBlocks(bType, n, n, k);
  const matrix = createMatrix(t.gpu, n, k, bType, "packed");
  uploadBlocks(t.gpu, matrix, 0, bytes);
  return { matrix, values: dequantised(bType, bytes) };
}

/** Dispatches that `record` makes. */
function dispatches(t: TestGpu, record: () => void): number {
  const before = t.gpu.commands.counts.dispatches;
  record();
  return t.gpu.commands.counts.dispatches - before;
}

// Of the last no vectors can be read.
const SHAPES = [[1, 5, 32], [2, 75, 64], [3, 64, 96], [7, 132, 576], [8, 40, 1536], [9, 33, 96], [
  40,
  64,
  64,
]];

// What each kernel of a GPU takes to compile is seconds here: of every type one of few rows and one of many.
const shapesFor = (t: TestGpu, bType: BType): number[][] =>
  bType === "f32" ? [...SHAPES, [2, 9, 6], [4, 8, 8192]] : t === tiles ? [[3, 64, 96], [40, 64, 64]] : SHAPES;

for (const [family, t] of FAMILIES) {
  for (const bType of ["f32", "f16", "q8_0", "q4_0", "q4_1"] as BType[]) {
    Deno.test(`${family}: rows normed and gated on the way into a product by ${bType}`, async () => {
      for (const [m, n, k] of shapesFor(t, bType)) {
        const { matrix, values } = weight(t, bType, n, k);
        const eps = 1e-5;
        const [x, scale] = [random32(1, m * k), random32(2, k)];
        const one = k % 4 === 0 && (t === tiles || (n % 4 === 0 && m <= 8));
        const [tx, norm] = [t.f32(x, [m, k]), { weight: t.f32(scale), eps }];
        const [y, normed, expected] = [t.blank(m, n), t.blank(m, k), t.blank(m, n)];
        const made = dispatches(t, () => matmulNormed(t.gpu, tx, norm, matrix, y));
        assertEquals(made, one ? 1 : 2, `dispatches of ${[m, n, k]}`);
        rmsNorm(t.gpu, tx, norm.weight, normed, t.blank(m), eps);
        matmulNT(t.gpu, normed, matrix, expected);
        assertSameBits(`normed ${[m, n, k]}`, await t.read(y), await t.read(expected));
        const inReference = rmsNormReference(x, scale, m, k, eps).y;
        const product = reference.matmulNT(inReference, values, m, k, n);
        assertClose(`normed ${bType} ${[m, n, k]}`, await t.read(y), product);

        const [gates, old] = [random32(3, m * 2 * k, 2), random32(4, m * n)];
        const gateUp = t.f32(gates, [m, 2 * k]);
        const [out, hidden, sum] = [t.f32(old, [m, n]), t.blank(m, k), t.f32(old, [m, n])];
        assertEquals(dispatches(t, () => matmulGated(t.gpu, gateUp, matrix, out)), one ? 1 : 2);
        swiglu(t.gpu, gateUp, hidden);
        matmulNT(t.gpu, hidden, matrix, sum, { accumulate: true });
        assertSameBits(`gated ${[m, n, k]}`, await t.read(out), await t.read(sum));
        const added = addInto(reference.matmulNT(swigluReference(gates, m, k), values, m, k, n), old);
        assertClose(`gated ${bType} ${[m, n, k]}`, await t.read(out), added);
        if (isQuantised(bType)) freeMatrix(t.gpu, matrix);
      }
    });
  }
}

// Rows, outputs, inputs, terms of a low-rank update: of one part and of three, and more than a segment of a GPU's sums. On software
// devices it stays a product of its own.
const RANKS = {
  software: [[3, 76, 96, 48], [2, 33, 64, 6]],
  f32: [[1, 40, 192, 132], [16, 44, 96, 48], [20, 64, 64, 16]],
  packed: [[3, 75, 96, 48]],
};

for (
  const [family, t, bType, shapes] of [
    ["broadcast", broadcast, "f32", RANKS.software],
    ["tile", tiles, "f32", RANKS.f32],
    ["tile", tiles, "q4_1", RANKS.packed],
  ] as const
) {
  Deno.test(`${family}: a low-rank update beside a product by ${bType}, of rows as they are, normed and gated`, async () => {
    for (const [m, n, k, rank] of shapes) {
      const { matrix, values } = weight(t, bType, n, k);
      const [as, bs] = [random32(5, rank * k), random32(6, n * rank)];
      const update = { a: t.matrix(as, rank, k), blocks: t.matrix(bs, n, rank), u: t.blank(m, rank) };
      const [eps, scale] = [1e-5, random32(2, k)];
      const [x, gates, old] = [random32(1, m * k), random32(3, m * 2 * k, 2), random32(4, m * n)];
      const [tx, gateUp, norm] = [
        t.f32(x, [m, k]),
        t.f32(gates, [m, 2 * k]),
        { weight: t.f32(scale), eps },
      ];
      const normed = rmsNormReference(x, scale, m, k, eps).y;
      const cases = [
        {
          name: "rows",
          made: x,
          run: (out: Tensor) => matmulAdapted(t.gpu, tx, matrix, out, { accumulate: true, lowRank: update }),
          make: (to: Tensor) => t.gpu.commands.copy(tx, 0, to, 0, m * k),
          added: true,
        },
        {
          name: "normed",
          made: normed,
          run: (out: Tensor) => matmulNormed(t.gpu, tx, norm, matrix, out, update),
          make: (to: Tensor) => rmsNorm(t.gpu, tx, norm.weight, to, t.blank(m), eps),
          added: false,
        },
        {
          name: "gated",
          made: swigluReference(gates, m, k),
          run: (out: Tensor) => matmulGated(t.gpu, gateUp, matrix, out, update),
          make: (to: Tensor) => swiglu(t.gpu, gateUp, to),
          added: true,
        },
      ];
      for (const { name, made, run, make, added } of cases) {
        const what = `${name} ${bType} ${[m, n, k, rank]}`;
        const [out, rows, expected] = [t.f32(old, [m, n]), t.blank(m, k), t.f32(old, [m, n])];
        const count = dispatches(t, () => run(out));
        if (t === tiles && m <= 16) assertEquals(count, 2, what);
        make(rows);
        matmulNT(t.gpu, rows, matrix, expected, { accumulate: added });
        const u = t.blank(m, rank);
        matmulNT(t.gpu, rows, update.a, u);
        matmulNT(t.gpu, u, update.blocks, expected, { accumulate: true });
        assertSameBits(what, await t.read(out), await t.read(expected));
        assertSameBits(`u of ${what}`, await t.read(update.u), await t.read(u));
        const low = reference.matmulNT(reference.matmulNT(made, as, m, k, rank), bs, m, rank, n);
        const sum = addInto(reference.matmulNT(made, values, m, k, n), low);
        assertClose(what, await t.read(out), added ? addInto(sum, old) : sum);
      }
      if (isQuantised(bType)) freeMatrix(t.gpu, matrix);
    }
  });
}
