/**
 * The order in which products add, to the bit: on real GPUs' kernels that of `SEGMENT`, whichever of them computes a row; on
 * software devices one chain. The numbers are so short that f32 holds each product, fused with the addition or not.
 */
import { assert, assertEquals } from "@std/assert";
import { createMatrix, freeMatrix, type Matrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { fitsDevice, GPU_TILES, gpuSplits, measuredRows } from "../../gpu/ops/matmul/choose_gpu_kernel.ts";
import { chooseKernel, tuningClass } from "../../gpu/ops/matmul/choose_kernel.ts";
import { type BType, SEGMENT } from "../../gpu/ops/matmul/variant.ts";
import { uploadBlocks } from "../../gpu/ops/repack/upload_blocks.ts";
import { isQuantised } from "../../gpu/quantised.ts";
import type { TunedTile } from "../../gpu/tuning.ts";
import { dequantised, randomBlocks } from "./random_blocks.ts";
import { rowsFor, segmented } from "./segmented.ts";
import { assertSameBits, openTestGpu, random16, type TestGpu } from "./support.ts";

const t = await openTestGpu({ matmulFamily: "tile" });
const { gpu } = t;
// Rows of 8 f32 take 32 bytes: chunks of 256 rows.
const chunked = await openTestGpu({ matmulFamily: "tile", maxBinding: 300 * 32 });
const software = await openTestGpu({ matmulFamily: "broadcast" });

const TYPES: BType[] = ["f32", "f16", "q8_0", "q4_0", "q4_1"];

/** A weight [rows, cols] in a type, and its numbers. */
function weight(bType: BType, rows: number, cols: number) {
  if (!isQuantised(bType)) {
    const values = random16(rows, rows * cols);
    const matrix = createMatrix(gpu, rows, cols, bType, "w");
    uploadRows(gpu, matrix, 0, Float32Array.from(values));
    return { matrix, values, [Symbol.dispose]: () => freeMatrix(gpu, matrix) };
  }
  const bytes = randomBlocks(bType, rows, rows, cols);
  const matrix = createMatrix(gpu, rows, cols, bType, "w");
  uploadBlocks(gpu, matrix, 0, bytes);
  return { matrix, values: dequantised(bType, bytes), [Symbol.dispose]: () => freeMatrix(gpu, matrix) };
}

/** Runs a product with a tile as the tuned one, and says which kernels that took. */
async function withTile(
  kind: "nt" | "nn",
  bType: BType,
  [m, n]: [number, number],
  tile: TunedTile | undefined,
  multiply: () => void,
): Promise<string[]> {
  const seen = new Set(gpu.pipelines.keys());
  const name = tuningClass(kind, bType, { m: measuredRows(kind, m), n });
  if (tile) gpu.tuning.set(name, tile);
  multiply();
  await gpu.errors.settled();
  gpu.tuning.delete(name);
  return [...gpu.pipelines.keys()].filter((label) => !seen.has(label));
}

/** All kernels worth trying for so many rows, or of each sort one. */
function tilesFor(kind: "nt" | "nn", bType: BType, m: number, all: boolean): TunedTile[] {
  const splits = measuredRows(kind, m) <= 8 ? gpuSplits(kind, Math.min(m, 8)) : [];
  const tiles = GPU_TILES.filter(({ rows, perThread }) =>
    all || (rows === 64 && perThread === 4) || rows === 16
  );
  const shapes = splits.filter(({ cols }, i) => all || cols === 16 || i === 0);
  return [...shapes, ...tiles].filter((tile) => fitsDevice(gpu, kind, bType, tile));
}

// Whole and broken segments, odd numbers of columns, several workgroups of each tile.
const SHAPES = { nt: [[75, 1056], [33, 200], [5, 64]], nn: [[1056, 96], [1540, 132]] } as const;

for (const bType of TYPES) {
  for (const kind of ["nt", "nn"] as const) {
    Deno.test(`${kind} ${bType}: every kernel for GPUs adds in the order of segments`, async () => {
      for (const [i, [rows, cols]] of SHAPES[kind].entries()) {
        if (isQuantised(bType) && cols % 32 !== 0) continue;
        using w = weight(bType, rows, cols);
        const [inner, outer] = kind === "nt" ? [cols, rows] : [rows, cols];
        const multiply = kind === "nt" ? matmulNT : matmulNN;
        const value = kind === "nt"
          ? (k: number, j: number) => w.values[j * cols + k]
          : (k: number, j: number) => w.values[k * cols + j];
        const all = i === 0 && bType === "f32";
        for (const m of all ? [1, 2, 3, 8, 9, 16, 64, 65] : [1, 5, 13, 33]) {
          const a = rowsFor(bType, m, m * inner);
          const x = t.f32(a, [m, inner]);
          for (const accumulate of i === 0 ? [false, true] : [false]) {
            const old = accumulate ? random16(3, m * outer) : undefined;
            const expected = segmented(
              [m, inner, outer],
              SEGMENT[kind],
              (row, k) => a[row * inner + k],
              value,
              old,
            );
            for (
              const tile of [
                undefined,
                ...tilesFor(kind, bType, m, all && !accumulate && [2, 8, 65].includes(m)),
              ]
            ) {
              const out = old ? t.f32(old, [m, outer]) : t.blank(m, outer);
              await withTile(kind, bType, [m, outer], tile, () => {
                multiply(gpu, x, w.matrix, out, { accumulate });
              });
              assertSameBits(`${m} rows, ${JSON.stringify(tile)}`, await t.read(out), expected);
            }
          }
        }
      }
    });
  }
}

Deno.test("each kernel that was asked for is the one that runs", async () => {
  using w = weight("f32", 1056, 192);
  for (const m of [2, 8, 33]) {
    for (const kind of ["nt", "nn"] as const) {
      const [inner, outer] = kind === "nt" ? [192, 1056] : [1056, 192];
      const x = t.f32(random16(1, m * inner), [m, inner]);
      for (const tile of tilesFor(kind, "f32", m, false)) {
        gpu.pipelines.clear();
        const labels = await withTile(kind, "f32", [m, outer], tile, () => {
          (kind === "nt" ? matmulNT : matmulNN)(gpu, x, w.matrix, t.blank(m, outer));
        });
        const { family, rows, cols, perThread, depth } = tile;
        const wanted = `matmul_${kind}_f32_${family}_${[rows, cols, perThread, depth].join("x")}_`;
        assert(labels.some((label) => label.startsWith(wanted)), `${wanted}, not ${labels}`);
        assertEquals(labels.some((label) => label.includes("_shuffle")), tile.shuffle === true);
      }
    }
  }
});

Deno.test("shuffles, threads and workgroup memory are taken from the device's limits", () => {
  const allowed = (workgroups: Partial<typeof gpu.workgroups>, tile: TunedTile) =>
    fitsDevice({ ...gpu, workgroups: { ...gpu.workgroups, ...workgroups } }, "nt", "f32", {
      cols: tile.rows,
      ...tile,
    });
  const shuffled: TunedTile = { family: "split", rows: 1, cols: 8, perThread: 2, depth: 16, shuffle: true };
  const lanes = (minSubgroup: number, maxSubgroup: number) => allowed({ minSubgroup, maxSubgroup }, shuffled);
  assertEquals([lanes(32, 32), lanes(32, 64), lanes(8, 32), lanes(32, 128), lanes(1, Infinity)], [
    ...[true, true, false, false, false],
  ]);
  const large: TunedTile = { family: "tile", rows: 128, perThread: 8, depth: 16 };
  assertEquals([256, 255].map((threads) => allowed({ threads }, large)), [true, false]);
  // Two operands of 33 vectors a term.
  assertEquals([16896, 16895].map((bytes) => allowed({ bytes }, large)), [true, false]);
  const smallest = {
    ...gpu,
    workgroups: { threads: 256, bytes: 16384, minSubgroup: 1, maxSubgroup: Infinity },
  };
  for (const kind of ["nt", "nn", "tn"] as const) {
    for (const bType of TYPES) {
      for (const m of [1, 2, 4, 8, 9, 16, 17, 64, 1000]) {
        const sizes = { m, n: 2048, k: 2048, lda: 2048, ldb: 2048, ldc: 2048, aOff: 0, bOff: 0, cOff: 0 };
        const { tile } = chooseKernel(smallest, kind, bType, sizes);
        assert(fitsDevice(smallest, kind, bType, tile), JSON.stringify(tile));
        assertEquals(tile.family, m <= { nt: 16, nn: 8, tn: 0 }[kind] ? "split" : "tile");
      }
    }
  }
});

Deno.test("long sums of more than 8 rows are split too, dense or not", async () => {
  const [terms, d] = [16400, 36];
  using w = weight("f16", terms, d);
  for (const m of [9, 30]) {
    const a = random16(1, m * terms).map((x, i) => i % terms % 3000 > 40 + i / terms ? 0 : x);
    for (const values of [random16(2, m * terms), a]) {
      const x = t.f32(values, [m, terms]);
      // Eight rows at a time, whose kernel the tests above compare.
      const expected: number[] = [];
      for (let row = 0; row < m; row += 8) {
        const count = Math.min(8, m - row);
        const out = t.blank(count, d);
        matmulNN(
          gpu,
          t.f32(values.subarray(row * terms, (row + count) * terms), [count, terms]),
          w.matrix,
          out,
        );
        expected.push(...await t.read(out));
      }
      for (const sparse of [false, true]) {
        const out = t.blank(m, d);
        gpu.pipelines.clear();
        matmulNN(gpu, x, w.matrix, out, { sparse });
        assertSameBits(`${m} rows, ${sparse}`, await t.read(out), Float32Array.from(expected));
        assert([...gpu.pipelines.keys()].some((label) => label.includes("nn_f16_split_8x")));
      }
    }
  }
});

Deno.test("more workgroups than a dimension holds, and a vocabulary as terms", async () => {
  const [m, n, k] = [2, 151936, 32];
  using w = weight("f16", n, k);
  const [x, a] = [t.f32(random16(1, m * k), [m, k]), t.f32(random16(2, m * n), [m, n])];
  const tile: TunedTile = { family: "tile", rows: 16, cols: 32, perThread: 4, depth: 16 };
  // 37,984 workgroups of 4 columns.
  const narrow: TunedTile = { family: "split", rows: m, cols: 4, perThread: 1, depth: 16 };
  const results = [];
  for (const [nt, nn] of [[tile, tile], [narrow, undefined]]) {
    const [y, dx] = [t.blank(m, n), t.blank(m, k)];
    await withTile("nt", "f16", [m, n], nt, () => matmulNT(gpu, x, w.matrix, y));
    await withTile("nn", "f16", [m, k], nn, () => matmulNN(gpu, a, w.matrix, dx));
    results.push([await t.read(y), await t.read(dx)]);
  }
  assertSameBits("NT", results[1][0], results[0][0]);
  assertSameBits("NN", results[1][1], results[0][1]);
  const labels = [...gpu.pipelines.keys()];
  for (const part of ["nt_f16_split_2x4x1x16", "nn_f16_split_2x", "nt_f16_tile_16x32", "nn_f16_tile_16x32"]) {
    assert(labels.some((label) => label.includes(part)), part);
  }
});

Deno.test("chunks of whole segments change no bit, nor do terms that are skipped", async () => {
  const [terms, d] = [1408, 8];
  const values = random16(1, terms * d);
  for (const m of [1, 5, 40]) {
    // Whole segments of zeros, k-steps of zeros, and single terms.
    const a = random16(2, m * terms).map((value, i) =>
      i % terms < 600 || i % 50 > 3 ? (i % 2 ? 0 : -0) : value
    );
    const results: [string, Float32Array][] = [];
    for (const on of [t, chunked]) {
      const matrix = on.matrix(values, terms, d);
      assertEquals(matrix.chunks.length, on === t ? 1 : 6);
      for (const sparse of [false, true]) {
        for (const accumulate of [false, true]) {
          const out = on.f32(accumulate ? new Float64Array(m * d).fill(-0) : random16(3, m * d), [m, d]);
          matmulNN(on.gpu, on.f32(a, [m, terms]), matrix, out, { sparse, accumulate });
          results.push([`${m} rows, ${on === t ? "whole" : "chunks"}, ${sparse}`, await on.read(out)]);
        }
      }
    }
    for (const [what, result] of results) assertSameBits(what, result, results[0][1]);
  }
  const labels = [...gpu.pipelines.keys()].filter((label) => label.includes("sparse"));
  assert(
    labels.some((label) => label.includes("_split_")) && labels.some((label) => label.includes("_tile_")),
  );
});

Deno.test("a software device adds in one chain, whatever a tuning says", async () => {
  const [m, k, n] = [3, 200, 75];
  const [a, w] = [random16(1, m * k), random16(2, n * k)];
  const expected = segmented([m, k, n], k, (i, at) => a[i * k + at], (at, j) => w[j * k + at]);
  const product = async (on: TestGpu, matrix: Matrix) => {
    const out = on.blank(m, n);
    matmulNT(on.gpu, on.f32(a, [m, k]), matrix, out);
    return await on.read(out);
  };
  const matrix = software.matrix(w, n, k);
  assertSameBits("untuned", await product(software, matrix), expected);
  for (const tile of [...gpuSplits("nt", 2), ...GPU_TILES]) {
    software.gpu.tuning.set(tuningClass("nt", "f32", { m, n }), tile);
    assertSameBits("tuned", await product(software, matrix), expected);
  }
  const labels = [...software.gpu.pipelines.keys()];
  assert(labels.every((label) => !/_(tile|split)_/.test(label)), labels.join());
  // Nor does a GPU's kernel come from broadcasts.
  const tuned: TunedTile = { family: "broadcast", rows: 4, perThread: 8, depth: 8 };
  const out = t.blank(m, n);
  await withTile("nt", "f32", [m, n], tuned, () => matmulNT(gpu, t.f32(a, [m, k]), t.matrix(w, n, k), out));
  const segments = segmented([m, k, n], SEGMENT.nt, (i, at) => a[i * k + at], (at, j) => w[j * k + at]);
  assertSameBits("a GPU", await t.read(out), segments);
});

Deno.test("the gradient of a weight is one chain in every tile", async () => {
  const [m, n, k] = [201, 33, 44];
  const [dy, x] = [random16(1, m * n), random16(2, m * k)];
  const expected = segmented([n, m, k], m, (i, at) => dy[at * n + i], (at, j) => x[at * k + j]);
  for (const tile of [undefined, ...GPU_TILES.filter(({ perThread }) => perThread === 4)]) {
    const grad = t.matrix(new Float64Array(n * k).fill(-7), n, k);
    if (tile) gpu.tuning.set(tuningClass("tn", "f32", { m: n, n: k }), tile);
    matmulTN(gpu, t.f32(dy, [m, n]), t.f32(x, [m, k]), grad);
    gpu.tuning.clear();
    assertSameBits(JSON.stringify(tile), await t.read(grad.chunks[0]), expected);
  }
});

// 64 rows a weight, so that tiles are few: 3 parts, 6 of which the last is short, and as many as fill a card.
for (const [m, n, k] of [[800, 33, 44], [1537, 64, 40], [70000, 12, 8]]) {
  Deno.test(`the gradient of a small weight over ${m} rows is summed in parts, added in order`, async () => {
    const [dy, x] = [random16(1, m * n), random16(2, m * k)];
    const sizes = { m: n, n: k, k: m, lda: n, ldb: k, ldc: k, aOff: 0, bOff: 0, cOff: 0 };
    const { parts = 1 } = chooseKernel(gpu, "tn", "f32", sizes);
    assertEquals(parts, Math.min(256, Math.floor(m / 256)));
    const span = Math.ceil(m / parts / 16) * 16;
    for (const old of [undefined, random16(3, n * k)]) {
      const expected = segmented([n, m, k], span, (i, at) => dy[at * n + i], (at, j) => x[at * k + j], old);
      const grad = t.matrix(old ?? new Float64Array(n * k).fill(-7), n, k);
      matmulTN(gpu, t.f32(dy, [m, n]), t.f32(x, [m, k]), grad, { accumulate: old !== undefined });
      assertSameBits(`${parts} parts`, await t.read(grad.chunks[0]), expected);
    }
  });
}
