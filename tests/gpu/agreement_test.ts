/** Rollout and training compute the same numbers with different kernels: they must agree to the bit. */
import { assert, assertEquals } from "@std/assert";
import { categorical } from "../../gpu/ops/categorical/categorical.ts";
import { choose } from "../../gpu/ops/choose/choose.ts";
import { matmulNN, matmulNT } from "../../gpu/ops/matmul/matmul.ts";
import { addNoise, noiseMismatch } from "../../gpu/ops/mixture/noise.ts";
import { mixtureBackward } from "../../gpu/ops/mixture/mixture_backward.ts";
import { assertSameBits, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const KEY = { seed: 5, domain: 1, step: 2 };

/** Slots and rollouts 0, 1, ..., all at position 3. */
const infoOf = (rows: number) =>
  t.u32(Array.from({ length: rows }, (_, r) => [r, r, 0, 3]).flat(), [rows, 4]);

for (
  const { rows, vocab, width } of [
    { rows: 40, vocab: 75, width: 76 },
    { rows: 9, vocab: 2048, width: 2048 },
    { rows: 3, vocab: 50257, width: 50260 },
  ]
) {
  const z = random32(vocab, rows * width, 3);

  Deno.test(`the log-probability of a drawn token is the training pass's, ${vocab} tokens`, async () => {
    for (const [choice, tau] of [["sample", 1], ["sample", 0.3], ["greedy", 1]] as const) {
      const tz = t.f32(z, [rows, width]);
      const record = {
        tokens: t.u32(new Uint32Array(rows), [rows, 1]),
        stats: t.blank(rows, 1, 4),
        column: 0,
      };
      const chosen = t.u32(new Uint32Array(rows));
      choose(t.gpu, choice, tz, vocab, tau, infoOf(rows), 0, record, chosen, KEY);
      const logp = t.blank(rows);
      categorical(t.gpu, tz, vocab, tau, chosen, t.zeros(rows), logp, false);
      const stats = await t.read(record.stats);
      assertSameBits("ln p", stats.filter((_, i) => i % 4 === 0), await t.read(logp));
    }
  });

  Deno.test(`the mixture's weights are the training pass's, ${vocab} tokens`, async () => {
    for (const tau of [0.5, 1e-4]) {
      const [tz, again] = [t.f32(z, [rows, width]), t.f32(z, [rows, width])];
      const record = {
        tokens: t.u32(new Uint32Array(rows), [rows, 1]),
        stats: t.blank(rows, 1, 4),
        column: 0,
      };
      const chosen = t.u32(new Uint32Array(rows));
      choose(t.gpu, "mixture", tz, vocab, tau, infoOf(rows), 0, record, chosen, KEY);
      const [u, stats] = [t.f32(random32(2, rows * width), [rows, width]), t.blank(rows, 4)];
      mixtureBackward(t.gpu, again, u, vocab, tau, 0, stats);
      assertSameBits("p", await t.read(again), await t.read(tz));
      const [rollout, training] = [await t.read(record.stats), await t.read(stats)];
      assertSameBits("gap", training.filter((_, i) => i % 4 === 1), rollout.filter((_, i) => i % 4 === 2));
      assertEquals([...training.filter((_, i) => i % 4 === 2)], [...await t.readU32(chosen)]);
    }
  });
}

// The kernels of real GPUs: a rollout's products are split sums, training's are tiles, and both leave out zeros.
const tiles = await openTestGpu({ matmulFamily: "tile" });
const SOFT_STEPS = [
  { name: "software", t, sizes: [75, 76, 60], counts: [1] },
  { name: "GPUs", t: tiles, sizes: [75, 76, 60], counts: [1] },
  { name: "GPUs", t: tiles, sizes: [2040, 2048, 200], counts: [1, 2, 8] },
];

for (const { name, t, sizes: [vocab, width, d], counts } of SOFT_STEPS) {
  Deno.test(`kernels for ${name}: a soft step over ${vocab} in the rollout, and again in training among more rows: mismatch exactly 0`, async () => {
    const rows = 33;
    const infoOf = (first: number, count: number) =>
      t.u32(Array.from({ length: count }, (_, r) => [r, first + r, 0, 3]).flat(), [count, 4]);
    const table = new Float64Array(width * d);
    table.set(random32(1, vocab * d));
    const E = t.matrix(table, width, d);
    const y = random32(2, rows * d, 2);
    const key = { ...KEY, domain: 0 };
    for (const tau of [0.5, 1e-4]) {
      // The logits y E^T of rows `first` to `first + count`.
      const logits = (first: number, count: number) => {
        const z = t.blank(count, width);
        matmulNT(t.gpu, t.f32(y.subarray(first * d, (first + count) * d), [count, d]), E, z);
        return z;
      };
      for (const most of counts) {
        const h = new Float32Array(rows * d);
        for (let r = 0; r < rows; r += most) {
          const count = Math.min(most, rows - r);
          const z = logits(r, count);
          const record = {
            tokens: t.u32(new Uint32Array(count), [count, 1]),
            stats: t.blank(1, count, 4),
            column: 0,
          };
          const info = infoOf(r, count);
          choose(t.gpu, "mixture", z, vocab, tau, info, 0, record, t.u32(new Uint32Array(count)), key);
          const [m, next] = [t.blank(count, d), t.blank(count, d)];
          matmulNN(t.gpu, z, E, m, { sparse: true });
          addNoise(t.gpu, m, 0.3, { info, shift: 0, key }, next, t.blank(1, count, d), 0);
          h.set(await t.read(next), r * d);
        }
        const z = logits(0, rows);
        mixtureBackward(t.gpu, z, t.zeros(rows, width), vocab, tau, 0, t.blank(rows, 4));
        const m = t.blank(rows, d);
        matmulNN(t.gpu, z, E, m, { sparse: true });
        const out = t.blank(rows);
        noiseMismatch(t.gpu, m, t.f32(h, [rows, d]), 0.3, { info: infoOf(0, rows), shift: 0, key }, out);
        assert((await t.read(out)).every((value) => value === 0), `tau ${tau}, ${most} rows`);
      }
    }
    if (width < 1024) return;
    const labels = [...t.gpu.pipelines.keys()];
    for (const part of ["nt_f32_split", "nt_f32_tile", "nn_f32_split_8", "nn_f32_tile", "active_steps"]) {
      assert(labels.some((label) => label.includes(part)), `${part} among ${labels}`);
    }
  });
}
