import { assert, assertEquals, assertThrows } from "@std/assert";
import { attentionBackward, attentionTiles } from "../../gpu/ops/attention/tiles.ts";
import { attentionOfProjections, attentionRows } from "../../gpu/ops/attention/decode.ts";
import { suitsVec8 } from "../../gpu/ops/wgsl/vec8.ts";
import { headNorm } from "../../gpu/ops/norm/head_norm.ts";
import { rotary } from "../../gpu/ops/rotary/rotary.ts";
import type { Heads } from "../../gpu/ops/heads.ts";
import { attention, attentionBackward as referenceBackward } from "../reference/attention.ts";
import { ropeTable } from "../reference/rope.ts";
import { type Group, packGroups } from "./layout.ts";
import { assertClose, assertSameBits, openTestGpu, random32 } from "./support.ts";

const software = await openTestGpu();
const t = software;
const u32Only = await openTestGpu({ forbidU64: true });
/** What GPUs run, on this device: keys folded in splits, which are workgroups of their own where rows are few. */
const onGpu = await openTestGpu({ matmulFamily: "tile" });

/** The same with kernels made for half of the lanes that a subgroup has. */
const halves = await openTestGpu({
  matmulFamily: "tile",
  subgroupSize: Math.max(2, onGpu.gpu.subgroupSize / 2),
});

const GROUPS: Group[] = [
  { prompt: 13, continuations: [5, 9, 1] },
  { prompt: 8, continuations: [] },
  { prompt: 1, continuations: [17] },
  { prompt: 21, continuations: [3, 8, 30] },
];

/** Runs tiles, rows and backward on random data and compares each with the reference, and tiles with rows. */
async function compare(heads: Heads, groups: Group[], seed: number, scale = 1, t = software) {
  const { layout, rows, rowMeta, tiles, doubles } = packGroups(groups, t.gpu.subgroupSize);
  const width = heads.heads * heads.headDim;
  const kvWidth = heads.kvHeads * heads.headDim;
  const q = random32(seed, rows * width, scale);
  const k = random32(seed + 1, rows * kvWidth, scale);
  const v = random32(seed + 2, rows * kvWidth);
  const dout = random32(seed + 3, rows * width);
  const tq = t.f32(q, [rows, width]);
  const kv = { k: t.f32(k, [rows, kvWidth]), v: t.f32(v, [rows, kvWidth]) };
  const device = { rowMeta: t.u32(rowMeta, [rows, 4]), tiles: t.u32(tiles, [tiles.length / 4, 4]), doubles };
  const [out, again, lse] = [t.blank(rows, width), t.blank(rows, width), t.blank(rows, heads.heads)];
  attentionTiles(t.gpu, heads, tq, kv, device, out, lse);
  attentionRows(t.gpu, heads, tq, kv, device.rowMeta, again);
  const dq = t.blank(rows, width);
  const dkv = { k: t.blank(rows, kvWidth), v: t.blank(rows, kvWidth) };
  attentionBackward(t.gpu, heads, { q: tq, kv, out, lse }, device, t.f32(dout, [rows, width]), dq, dkv);

  const what = `heads ${heads.heads}/${heads.kvHeads} of ${heads.headDim}`;
  const forward = attention(q, k, v, layout, heads);
  const tilesOut = await t.read(out);
  assertSameBits(`${what}: rows and tiles`, await t.read(again), tilesOut);
  assertClose(`${what}: out`, tilesOut, forward.out);
  assertClose(`${what}: lse`, await t.read(lse), forward.lse);
  const backward = referenceBackward(dout, q, k, v, layout, heads);
  assertClose(`${what}: dq`, await t.read(dq), backward.dq);
  assertClose(`${what}: dk`, await t.read(dkv.k), backward.dk);
  assertClose(`${what}: dv`, await t.read(dkv.v), backward.dv);
}

for (
  const heads of [
    { heads: 3, kvHeads: 3, headDim: 8 },
    { heads: 6, kvHeads: 2, headDim: 16 },
    { heads: 4, kvHeads: 1, headDim: 64 },
    { heads: 4, kvHeads: 2, headDim: 128 },
    { heads: 3, kvHeads: 1, headDim: 20 },
    { heads: 2, kvHeads: 2, headDim: 32 },
  ]
) {
  Deno.test(`attention over shared prefixes, ${heads.heads} heads on ${heads.kvHeads} of ${heads.headDim}`, async () => {
    await compare(heads, GROUPS, heads.headDim);
  });
}

Deno.test("attention with scores far apart, where one key holds all the weight", async () => {
  await compare({ heads: 2, kvHeads: 1, headDim: 16 }, GROUPS, 77, 6);
});

Deno.test("attention over a context of 4,096, prompt shared", async () => {
  await compare({ heads: 1, kvHeads: 1, headDim: 16 }, [{ prompt: 3997, continuations: [99, 41] }], 5);
});

Deno.test("the keys of a prompt that 33,000 rows of eight heads look at", async () => {
  await compare({ heads: 8, kvHeads: 1, headDim: 8 }, [{ prompt: 5, continuations: Array(660).fill(50) }], 8);
});

for (
  const { what, groups } of [
    { what: "workgroups of their own", groups: [{ prompt: 150, continuations: [40, 1] }] },
    {
      what: "in one workgroup",
      groups: [{ prompt: 290, continuations: [99, 41] }, { prompt: 128, continuations: [] }],
    },
  ]
) {
  Deno.test(`attention in splits of keys, ${what}, as on GPUs`, async () => {
    await compare({ heads: 3, kvHeads: 1, headDim: 16 }, groups, 9, 1, onGpu);
    await compare({ heads: 2, kvHeads: 2, headDim: 20 }, groups, 10, 4, onGpu);
  });
}

Deno.test("attention of one row, and of one sequence alone", async () => {
  await compare({ heads: 2, kvHeads: 1, headDim: 8 }, [{ prompt: 1, continuations: [] }], 6);
  await compare({ heads: 2, kvHeads: 1, headDim: 8 }, [{ prompt: 9, continuations: [] }], 7);
});

Deno.test("decoding against a cache, step by step, gives the bits of the packed rows", async () => {
  const heads = { heads: 4, kvHeads: 2, headDim: 16 };
  const [prompt, length, rollouts, capacity] = [11, 21, 3, 32];
  const { rows, rowMeta, tiles, doubles } = packGroups(
    [{ prompt, continuations: Array(rollouts).fill(length) }],
    t.gpu.subgroupSize,
  );
  const [width, kvWidth] = [heads.heads * heads.headDim, heads.kvHeads * heads.headDim];
  const q = random32(31, rows * width);
  const [k, v] = [random32(32, rows * kvWidth), random32(33, rows * kvWidth)];
  const out = t.blank(rows, width);
  attentionTiles(
    t.gpu,
    heads,
    t.f32(q, [rows, width]),
    { k: t.f32(k, [rows, kvWidth]), v: t.f32(v, [rows, kvWidth]) },
    { rowMeta: t.u32(rowMeta, [rows, 4]), tiles: t.u32(tiles, [tiles.length / 4, 4]), doubles },
    out,
    t.blank(rows, heads.heads),
  );
  const packed = await t.read(out);

  // The cache: the prompt's keys from row 5, each rollout's in a slot of its own; what lies beyond is noise.
  const keys = 5 + prompt + rollouts * capacity;
  const slot = (g: number) => 5 + prompt + g * capacity;
  const place = (values: Float64Array, seed: number) => {
    const cache = random32(seed, keys * kvWidth, 100);
    cache.set(values.subarray(0, prompt * kvWidth), 5 * kvWidth);
    for (let g = 0; g < rollouts; g++) {
      const from = (prompt + g * length) * kvWidth;
      cache.set(values.subarray(from, from + length * kvWidth), slot(g) * kvWidth);
    }
    return t.f32(cache, [keys, kvWidth]);
  };
  const cache = { k: place(k, 34), v: place(v, 35) };
  const meta = t.u32(Array.from({ length: rollouts }, (_, g) => [5, prompt, slot(g), prompt]).flat(), [3, 4]);
  for (let step = 0; step < length; step++) {
    const from = (g: number) => (prompt + g * length + step) * width;
    const rowsOf = (values: ArrayLike<number>) =>
      Float32Array.from(
        { length: rollouts * width },
        (_, i) => values[from(Math.floor(i / width)) + i % width],
      );
    const decoded = t.blank(rollouts, width);
    attentionRows(t.gpu, heads, t.f32(rowsOf(q), [rollouts, width]), cache, meta, decoded, step);
    assertSameBits(`step ${step}`, await t.read(decoded), rowsOf(packed));
  }
});

for (const heads of [{ heads: 9, kvHeads: 3, headDim: 64 }, { heads: 2, kvHeads: 2, headDim: 128 }]) {
  for (const biased of [false, true]) {
    const what = `heads of ${heads.headDim}, ${biased ? "biased" : "without bias"}`;
    Deno.test(`decoding from the projections has the bits of rotary and attention, ${what}`, async () => {
      const { heads: n, kvHeads, headDim: hd } = heads;
      const [rows, capacity, prompt, steps] = [3, 24, 7, 11];
      const width = (n + 2 * kvHeads) * hd;
      const { table } = ropeTable(64, hd, 10000);
      const results = [software, u32Only, onGpu].map((on) => {
        const before = on.gpu.commands.counts.dispatches;
        const keys = () =>
          on.f32(random32(1, (prompt + rows * capacity) * kvHeads * hd), [
            prompt + rows * capacity,
            kvHeads * hd,
          ]);
        const kv = { k: keys(), v: keys() };
        const meta = Array.from({ length: rows }, (_, r) => [0, prompt, prompt + r * capacity, prompt])
          .flat();
        const tMeta = on.u32(meta, [rows, 4]);
        const bias = biased ? { bias: on.f32(random32(2, width)) } : {};
        const [tt, q] = [on.f32(table), on.blank(rows, n * hd)];
        const outs = Array.from({ length: steps }, (_, step) => {
          const out = on.blank(rows, n * hd);
          const qkv = on.f32(random32(3 + step, rows * width), [rows, width]);
          attentionOfProjections(on.gpu, heads, { qkv, ...bias, table: tt, q }, kv, tMeta, out, step);
          return out;
        });
        const dispatches = on.gpu.commands.counts.dispatches - before;
        return { dispatches, tensors: [...outs, kv.k, kv.v], on };
      });
      const once = suitsVec8(software.gpu) ? steps : 2 * steps;
      assertEquals(results.map(({ dispatches }) => dispatches), [once, 2 * steps, steps]);
      const [u64, ...others] = await Promise.all(
        results.map(({ tensors, on }) => Promise.all(tensors.map(on.read))),
      );
      for (const other of others) u64.forEach((numbers, i) => assertSameBits(`${i}`, numbers, other[i]));
    });
  }
}

// Splits of 128 keys: one, some side by side and in rounds, parts of a group's heads, several workgroups and their merge.
for (
  const { what, heads, capacity, from, rows, kernel } of [
    { what: "one split", heads: [6, 2, 16], capacity: 64, from: 40, rows: 2, kernel: "teams_1_rotary" },
    { what: "four", heads: [14, 2, 64], capacity: 200, from: 118, rows: 2, kernel: "teams_4_rotary_bias" },
    {
      what: "heads that are normed",
      ...{ heads: [6, 2, 40], capacity: 160, from: 125, rows: 3, kernel: "teams_4_rotary_norm_0.000001" },
    },
    {
      what: "rounds of 16",
      heads: [3, 1, 8],
      capacity: 2400,
      from: 2039,
      rows: 1,
      kernel: "teams_16_rotary",
    },
    { what: "many rows", heads: [2, 1, 24], capacity: 300, from: 250, rows: 520, kernel: "teams_4_rotary" },
    {
      what: "merged",
      heads: [3, 1, 16],
      capacity: 4300,
      from: 4090,
      rows: 1,
      kernel: "teams_16_rotary_partial",
    },
  ]
) {
  const [n, kvHeads, hd] = heads;
  const widths = hd < 24 ? ["", ", two teams a subgroup"] : [""];
  for (const width of widths) {
    Deno.test(`decoding on GPUs from the projections has the bits of rotary and tiles: ${what}${width}`, async () => {
      const on = width === "" ? onGpu : halves;
      const shape = { heads: n, kvHeads, headDim: hd };
      const [qkvWidth, kvWidth] = [(n + 2 * kvHeads) * hd, kvHeads * hd];
      const { table } = ropeTable(capacity, hd, 10000);
      const tt = on.f32(table);
      const bias = kernel.includes("bias") ? on.f32(random32(2, qkvWidth)) : undefined;
      const norm = kernel.includes("norm")
        ? { weights: { q: on.f32(random32(7, hd)), k: on.f32(random32(8, hd)) }, eps: 1e-6 }
        : undefined;
      const keys = (seed: number) => random32(seed, rows * capacity * kvWidth);
      const [k, v] = [keys(4), keys(5)];
      const kvOf = () => ({
        k: on.f32(k, [rows * capacity, kvWidth]),
        v: on.f32(v, [rows * capacity, kvWidth]),
      });
      const [fused, apart] = [kvOf(), kvOf()];
      for (const position of [from, from + 10]) {
        const meta = Array.from({ length: rows }, (_, r) => [0, 0, r * capacity, position]).flat();
        const rowMeta = on.u32(meta, [rows, 4]);
        const qkv = on.f32(random32(position, rows * qkvWidth), [rows, qkvWidth]);
        const [q, out, expected] = [n, n, n].map((heads) => on.blank(rows, heads * hd));
        const projections = { qkv, bias, headNorm: norm, table: tt, q };
        attentionOfProjections(on.gpu, shape, projections, fused, rowMeta, out, 0);
        const normed = norm ? on.blank(rows, qkvWidth) : qkv;
        if (norm) headNorm(on.gpu, shape, qkv, norm.weights, norm.eps, normed);
        rotary(on.gpu, shape, normed, rowMeta, tt, q, apart.k, apart.v, 0, bias);
        const tiles = on.u32(Array.from({ length: rows }, (_, r) => [r, 1, r + 1, 0]).flat(), [rows, 4]);
        attentionTiles(on.gpu, shape, q, apart, { rowMeta, tiles }, expected, on.blank(rows, n));
        assertSameBits(`position ${position}`, await on.read(out), await on.read(expected));
      }
      for (const part of ["k", "v"] as const) {
        assertSameBits(part, await on.read(fused[part]), await on.read(apart[part]));
      }
      const labels = [...on.gpu.pipelines.keys()];
      assert(
        labels.some((label) => label.startsWith(`attention_${kernel}_${hd}_`)),
        `${kernel} among ${labels}`,
      );
    });
  }
}

Deno.test("attention refuses outputs of another shape", () => {
  const heads = { heads: 2, kvHeads: 1, headDim: 8 };
  const kv = { k: t.zeros(3, 8), v: t.zeros(3, 8) };
  assertThrows(
    () => attentionRows(t.gpu, heads, t.zeros(3, 16), kv, t.u32([0, 0, 0, 0]), t.zeros(3, 8)),
    Error,
    "should be [3, 16]",
  );
});
