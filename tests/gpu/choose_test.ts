import { assert, assertEquals } from "@std/assert";
import { type Choice, choose } from "../../gpu/ops/choose/choose.ts";
import { vocabularyLanes } from "../../gpu/ops/wgsl/vocabulary.ts";
import { uniformAt } from "../reference/random.ts";
import { softmax } from "../reference/softmax.ts";
import { assertClose, assertSameBits, BLANK, openTestGpu, random32 } from "./support.ts";

const u64 = await openTestGpu();
const u32Only = await openTestGpu({ forbidU64: true });
const KEY = { seed: 17, domain: 1, step: 3 };

/** Runs a choice on logits [rows, width]; each row has a slot, a rollout and a position of its own. */
async function run(
  choice: Choice,
  z: Float64Array,
  rows: number,
  vocab: number,
  tau: number,
  shift = 0,
  t = u64,
) {
  const width = z.length / rows;
  const [slots, columns, column] = [rows + 2, 3, 1];
  const slot = (r: number) => (r * 5 + 1) % rows + 2; // Not the row's own number, and a permutation.
  const info = Array.from({ length: rows }, (_, r) => [slot(r), 1000 + r, 9, 40 + r % 3]).flat();
  assert(rows % 5 !== 0 || rows === 1, "slots are a permutation");
  const tz = t.f32(z, [rows, width]);
  const tokens = t.u32(new Uint32Array(slots * columns).fill(7), [slots, columns]);
  const stats = t.blank(slots, columns, 4);
  const chosen = t.u32(new Uint32Array(rows), [rows]);
  const record = { tokens, stats, column };
  choose(t.gpu, choice, tz, vocab, tau, t.u32(info, [rows, 4]), shift, record, chosen, KEY);
  const [all, stat] = [await t.readU32(tokens), await t.read(stats)];
  const ids = await t.readU32(chosen);
  for (let r = 0; r < rows; r++) assertEquals(all[slot(r) * columns + column], ids[r]);
  assertEquals(all.filter((id) => id === 7).length >= slots * columns - rows, true);
  const rowStats = Array.from({ length: rows }, (_, r) => {
    const at = (slot(r) * columns + column) * 4;
    assertEquals(stat[at - 1], BLANK, "the column before is not touched");
    return [...stat.subarray(at, at + 4)];
  });
  const uniform = (r: number) => uniformAt({ ...KEY, position: 40 + r % 3 + shift, rollout: 1000 + r });
  return { ids, rowStats, z: await t.read(tz), uniform };
}

/** Each row's (ln p(token) at tau, entropy at tau 1, gap of the top two, top) in f64. */
function expectedStats(z: Float64Array, rows: number, vocab: number, tau: number, ids: ArrayLike<number>) {
  const width = z.length / rows;
  const warm = softmax(z, rows, width, tau, vocab);
  const { entropy, gap, argmax } = softmax(z, rows, width, 1, vocab);
  return {
    argmax,
    probabilities: warm.probabilities,
    stats: Array.from({ length: rows }, (_, r) => [
      z[r * width + ids[r]] / tau - warm.logSumExp[r],
      entropy[r],
      gap[r],
      z[r * width + argmax[r]],
    ]),
  };
}

function checkStats(what: string, actual: number[][], expected: number[][]) {
  ["ln p", "entropy", "gap", "top"].forEach((name, i) => {
    actual.forEach((row, r) => {
      const [a, e] = [row[i], expected[r][i]];
      assert(Math.abs(a - e) <= 2e-5 * Math.max(1, Math.abs(e)), `${what} row ${r}: ${name} ${a}, not ${e}`);
    });
  });
}

/** Logits with padding columns so large that any use of them shows. */
function padded(seed: number, rows: number, vocab: number, width: number, scale: number): Float64Array {
  const z = random32(seed, rows * width, scale);
  for (let r = 0; r < rows; r++) z.fill(90, r * width + vocab, (r + 1) * width);
  return z;
}

const SHAPES = [
  { rows: 7, vocab: 5, width: 8 },
  { rows: 3, vocab: 75, width: 76 },
  { rows: 9, vocab: 63, width: 63 },
  { rows: 4, vocab: 1001, width: 1024 },
  { rows: 2, vocab: 151936, width: 151936 },
  { rows: 1, vocab: 1, width: 4 },
];

for (const { rows, vocab, width } of SHAPES) {
  Deno.test(`greedy, sample and mixture agree with f64: ${vocab} tokens in ${width} columns`, async () => {
    const z = padded(vocab, rows, vocab, width, 3);
    for (
      const [choice, tau] of [["greedy", 1], ["sample", 0.7], ["mixture", 0.5], ["mixture", 1e-4]] as const
    ) {
      const { ids, rowStats, z: after } = await run(choice, z, rows, vocab, tau);
      const expected = expectedStats(z, rows, vocab, tau, ids);
      if (vocab === 1) expected.stats.forEach((row, r) => row[2] = rowStats[r][2]); // No second token: no gap.
      checkStats(`${choice} ${tau}`, rowStats, expected.stats);
      if (choice !== "sample") assertEquals(ids, expected.argmax);
      assert(ids.every((id) => id < vocab));
      if (choice === "mixture") assertClose(`p at ${tau}`, after, expected.probabilities);
      else assertEquals(after, Float32Array.from(z), "logits are left alone");
    }
  });
}

for (const [rows, vocab, width] of [[19, 75, 80], [9, 2048, 2048], [3, 49149, 49152]]) {
  Deno.test(`loads of 32 bytes and of 4 have the same results: ${vocab} tokens in ${width} columns`, async () => {
    for (const scale of [0.3, 6, 100]) {
      const z = padded(vocab, rows, vocab, width, scale);
      for (let i = 0; i < z.length; i += 7) if (i % width < vocab) z[i] = Math.fround(-3.0e38);
      for (
        const [choice, tau] of [["greedy", 1], ["sample", 0.7], ["mixture", 0.5], ["mixture", 1e-4]] as const
      ) {
        const [a, b] = [
          await run(choice, z, rows, vocab, tau),
          await run(choice, z, rows, vocab, tau, 0, u32Only),
        ];
        const what = `${choice} at ${tau}, scale ${scale}`;
        assertEquals(a.ids, b.ids, what);
        assertEquals(a.rowStats, b.rowStats, what);
        assertSameBits(what, a.z, b.z);
      }
    }
  });
}

Deno.test("ties go to the lowest token, across lanes and within one", async () => {
  const vocab = 200;
  for (const tied of [[3, 67, 131], [70, 6], [199, 64], [0, 1], [63, 62], [128, 64, 190]]) {
    const z = random32(4, vocab).map((value) => Math.min(value, 2));
    tied.forEach((id) => z[id] = 5);
    for (const choice of ["greedy", "mixture"] as const) {
      const { ids, rowStats } = await run(choice, z, 1, vocab, 1);
      assertEquals(ids[0], Math.min(...tied));
      assertEquals(rowStats[0][2], 0);
    }
  }
});

/** The token of the uniform u in the kernel's order (lane by lane), and how near u lies to a boundary. */
function inverseCdf(p: Float64Array, u: number) {
  const lanes = vocabularyLanes(p.length);
  let below = 0;
  let margin = 1;
  let token = -1;
  for (let lane = 0; lane < Math.min(lanes, p.length); lane++) {
    for (let id = lane; id < p.length; id += lanes) {
      below += p[id];
      margin = Math.min(margin, Math.abs(below - u));
      if (token < 0 && below > u) token = id;
    }
  }
  return { token, margin };
}

for (
  const { rows, vocab, tau } of [{ rows: 2003, vocab: 75, tau: 1 }, { rows: 8, vocab: 151936, tau: 0.6 }]
) {
  Deno.test(`a drawn token is the inverse CDF at its uniform number: ${vocab} tokens`, async () => {
    const z = random32(5, rows * vocab, 2);
    const { ids, uniform } = await run("sample", z, rows, vocab, tau, 6);
    const { probabilities } = softmax(z, rows, vocab, tau);
    let certain = 0;
    for (let r = 0; r < rows; r++) {
      const p = probabilities.subarray(r * vocab, (r + 1) * vocab);
      const { token, margin } = inverseCdf(p, uniform(r));
      if (margin < 2e-6) continue; // A boundary within rounding.
      certain++;
      assertEquals(ids[r], token, `row ${r}`);
    }
    assert(certain > 0.6 * rows, `${certain} of ${rows} rows decide`);
  });
}

Deno.test("sampling has the softmax's distribution (chi-square)", async () => {
  const [vocab, rows, tau] = [9, 8192, 0.8];
  const one = random32(6, vocab, 1.2);
  const z = new Float64Array(rows * 12).fill(50);
  for (let r = 0; r < rows; r++) z.set(one, r * 12);
  const { ids } = await run("sample", z, rows, vocab, tau);
  const { probabilities } = softmax(one, 1, vocab, tau);
  const counts = new Float64Array(vocab);
  ids.forEach((id) => counts[id]++);
  let chiSquare = 0;
  for (let i = 0; i < vocab; i++) {
    chiSquare += (counts[i] - rows * probabilities[i]) ** 2 / (rows * probabilities[i]);
  }
  assert(chiSquare < 26.12, `chi-square ${chiSquare} on 8 degrees of freedom exceeds its 99.9% point`);
});

Deno.test("logits shut out by a filter (-3e38) are never drawn and weigh nothing", async () => {
  const [vocab, rows] = [130, 501];
  const z = random32(7, rows * vocab, 1);
  for (let i = 0; i < z.length; i++) if (i % vocab % 3 !== 1) z[i] = Math.fround(-3.0e38);
  const { ids } = await run("sample", z, rows, vocab, 0.9);
  assert(ids.every((id) => id % 3 === 1));
  const { z: p, rowStats } = await run("mixture", z, rows, vocab, 1e-4);
  assert(p.every((weight, i) => weight === 0 || i % vocab % 3 === 1));
  assert(rowStats.flat().every(Number.isFinite));
});
