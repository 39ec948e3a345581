import { assert, assertEquals } from "@std/assert";
import { matrixOf } from "../../gpu/matrix.ts";
import { choose } from "../../gpu/ops/choose/choose.ts";
import { matmulNN } from "../../gpu/ops/matmul/matmul.ts";
import { NEGLIGIBLE } from "../../gpu/ops/wgsl/vocabulary.ts";
import { matmulNN as referenceNN } from "../reference/matmul.ts";
import { softmax } from "../reference/softmax.ts";
import { assertSameBits, openTestGpu, random16, random32, type TestGpu } from "./support.ts";

const u64 = await openTestGpu({ matmulFamily: "broadcast" });
const u32Only = await openTestGpu({ matmulFamily: "broadcast", forbidU64: true });
const tiles = await openTestGpu({ matmulFamily: "tile" });
// 24 f32 take 96 bytes: chunks of 2,048 rows.
const small = await openTestGpu({ matmulFamily: "broadcast", maxBinding: 2048 * 96 });

/** Weights of which a few in each row are not zero; row 1 has none, row 2 has no zeros. */
function mostlyZeros(m: number, terms: number): Float64Array {
  const dense = random32(1, m * terms);
  const kept = [0, 31, 32, 700, terms - 1];
  return dense.map((value, i) => {
    const [row, k] = [Math.floor(i / terms), i % terms];
    if (row === 2) return value;
    if (row === 1 || !kept.includes((k + 37 * row) % terms)) return k % 3 === 0 ? -0 : 0;
    return value;
  });
}

async function compare(t: TestGpu, m: number, terms: number, d: number, dtype: "f32" | "f16") {
  const a = t.f32(mostlyZeros(m, terms), [m, terms]);
  const w = t.matrix((dtype === "f16" ? random16 : random32)(2, terms * d), terms, d, dtype);
  for (const accumulate of [false, true]) {
    const [dense, sparse] = [t.f32(random32(3, m * d), [m, d]), t.f32(random32(3, m * d), [m, d])];
    matmulNN(t.gpu, a, w, dense, { accumulate });
    matmulNN(t.gpu, a, w, sparse, { accumulate, sparse: true });
    assertSameBits(`${m} x ${terms} x ${d} ${dtype}`, await t.read(sparse), await t.read(dense));
  }
}

for (
  const [name, t] of [["u64", u64], ["without u64", u32Only], ["tile", tiles], ["chunks", small]] as const
) {
  Deno.test(`${name}: a product that skips zeros has the bits of one that does not`, async () => {
    for (const m of [1, 2, 7, 16, 33]) {
      for (const dtype of ["f32", "f16"] as const) await compare(t, m, 4096, 24, dtype);
    }
    await compare(t, 5, 1000, 24, "f32"); // no whole number of k-steps: the dense product
    await compare(t, 5, 1056, 20, "f32");
  });
}

Deno.test("a product of 151,936 terms that skips zeros", async () => {
  for (const t of [u64, u32Only]) await compare(t, 3, 151936, 16, "f16");
});

// 49,152 rows of 64 f32 are more than a cache block of the software device.
Deno.test("a product in cache blocks of rows has the bits of one in chunks, and skips zeros in each block", async () => {
  const [terms, d] = [49152, 64];
  const [weights, values] = [mostlyZeros(33, terms), random32(2, terms * d)];
  for (const m of [3, 33]) {
    const results = [];
    for (const t of [u64, u32Only, small]) {
      const a = t.f32(weights.subarray(0, m * terms), [m, terms]);
      const w = t.matrix(values, terms, d);
      const [dense, sparse] = [t.blank(m, d), t.blank(m, d)];
      matmulNN(t.gpu, a, w, dense);
      matmulNN(t.gpu, a, w, sparse, { sparse: true });
      results.push(await t.read(dense), await t.read(sparse));
    }
    for (const result of results.slice(1)) assertSameBits(`${m} rows`, result, results[0]);
  }
});

Deno.test("weights below 2^-30 are zeros; the mixture moves by no more than they could weigh", async () => {
  const [rows, vocab, d] = [3, 49152, 32];
  // Scales of logits from peaked, where nearly all weights vanish, to flat, where none does.
  const z = random32(4, rows * vocab).map((value, i) =>
    Math.fround(value * [12, 5, 0.3][Math.floor(i / vocab)])
  );
  const { probabilities } = softmax(z, rows, vocab, 1, vocab);
  const e = random32(5, vocab * d);
  const t = u64;
  const p = t.f32(z, [rows, vocab]);
  const info = t.u32([0, 0, 0, 0, 1, 1, 0, 0, 2, 2, 0, 0], [rows, 4]);
  const record = { tokens: t.u32(new Uint32Array(rows), [rows, 1]), stats: t.blank(rows, 1, 4), column: 0 };
  const key = { seed: 1, domain: 1, step: 1 };
  choose(t.gpu, "mixture", p, vocab, 1, info, 0, record, t.u32(new Uint32Array(rows), [rows]), key);
  const weights = await t.read(p);
  probabilities.forEach((exact, i) => {
    if (exact < 0.999 * NEGLIGIBLE) assertEquals(weights[i], 0);
    else if (exact > 1.001 * NEGLIGIBLE) {
      assert(Math.abs(weights[i] - exact) <= 1e-5 * exact);
    }
  });
  const zeros = [0, 1, 2].map((r) =>
    weights.subarray(r * vocab, (r + 1) * vocab).filter((x) => x === 0).length
  );
  assert(zeros[0] > 0.9 * vocab && zeros[2] === 0, `${zeros} zeros`);
  const out = t.blank(rows, d);
  const matrix = matrixOf(t.f32(e, [vocab, d]));
  matmulNN(t.gpu, p, matrix, out, { sparse: true });
  const exact = referenceNN(probabilities, e, rows, vocab, d);
  const longest = e.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  (await t.read(out)).forEach((value, i) => {
    const bound = zeros[Math.floor(i / d)] * NEGLIGIBLE * longest + 1e-5;
    assert(Math.abs(value - exact[i]) <= bound, `${value}, not ${exact[i]} within ${bound}`);
  });
});
