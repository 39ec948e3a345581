import { assertThrows } from "@std/assert";
import { addInto } from "../../gpu/ops/elementwise/elementwise.ts";
import { rotary, rotaryBackward } from "../../gpu/ops/rotary/rotary.ts";
import { rope, ropeBackward, ropeTable } from "../reference/rope.ts";
import { type Group, packGroups } from "./layout.ts";
import { assertClose, assertSameBits, BLANK, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const u32Only = await openTestGpu({ forbidU64: true });

/** Columns [from, from + count) of each row. */
function columns(x: ArrayLike<number>, rows: number, width: number, from: number, count: number) {
  return Float64Array.from(
    { length: rows * count },
    (_, i) => x[Math.floor(i / count) * width + from + i % count],
  );
}

async function compare(heads: number, kvHeads: number, hd: number, groups: Group[], theta: number) {
  const { layout, rows, rowMeta } = packGroups(groups, t.gpu.subgroupSize);
  const shape = { heads, kvHeads, headDim: hd };
  const width = (heads + 2 * kvHeads) * hd;
  const longest = layout.position.reduce((a, b) => Math.max(a, b), 0) + 1;
  const { frequencies, table } = ropeTable(longest, hd, theta);
  const qkv = random32(hd, rows * width);
  const meta = t.u32(rowMeta, [rows, 4]);
  const tt = t.f32(table);
  const [q, k, v] = [t.blank(rows, heads * hd), t.blank(rows, kvHeads * hd), t.blank(rows, kvHeads * hd)];
  rotary(t.gpu, shape, t.f32(qkv, [rows, width]), meta, tt, q, k, v);
  const part = (x: ArrayLike<number>, first: number, count: number) =>
    columns(x, rows, width, first * hd, count * hd);
  assertClose("q", await t.read(q), rope(part(qkv, 0, heads), layout.position, frequencies, heads, hd));
  assertClose(
    "k",
    await t.read(k),
    rope(part(qkv, heads, kvHeads), layout.position, frequencies, kvHeads, hd),
  );
  assertClose("v", await t.read(v), part(qkv, heads + kvHeads, kvHeads), 0);

  const [dq, dk, dv] = [heads, kvHeads, kvHeads].map((n, i) => random32(40 + i, rows * n * hd));
  const dqkv = t.blank(rows, width);
  const [tdq, tdk, tdv] = [dq, dk, dv].map((x) => t.f32(x, [rows, x.length / rows]));
  rotaryBackward(t.gpu, shape, tdq, tdk, tdv, meta, tt, dqkv);
  const back = await t.read(dqkv);
  assertClose("dq", part(back, 0, heads), ropeBackward(dq, layout.position, frequencies, heads, hd));
  assertClose(
    "dk",
    part(back, heads, kvHeads),
    ropeBackward(dk, layout.position, frequencies, kvHeads, hd),
  );
  assertClose("dv", part(back, heads + kvHeads, kvHeads), dv, 0);
}

const GROUPS = [{ prompt: 13, continuations: [5, 1, 9] }, { prompt: 1, continuations: [] }, {
  prompt: 30,
  continuations: [2],
}];

for (const [heads, kvHeads, hd] of [[3, 3, 8], [6, 2, 16], [4, 1, 64], [2, 1, 128], [1, 1, 2]]) {
  Deno.test(`rotary positions, ${heads} heads on ${kvHeads} of ${hd}, forward and backward`, async () => {
    await compare(heads, kvHeads, hd, GROUPS, 10000);
  });
}

for (const [heads, kvHeads, hd] of [[6, 2, 16], [3, 1, 64]]) {
  Deno.test(`rotary positions of heads of ${hd} have the same bits with loads of u64 and without`, async () => {
    const shape = { heads, kvHeads, headDim: hd };
    const { rows, rowMeta } = packGroups(GROUPS, t.gpu.subgroupSize);
    const width = (heads + 2 * kvHeads) * hd;
    const { table } = ropeTable(64, hd, 10000);
    const [u64, not] = await Promise.all([t, u32Only].map(async (on) => {
      const [meta, tt] = [on.u32(rowMeta, [rows, 4]), on.f32(table)];
      const [x, bias] = [on.f32(random32(1, rows * width), [rows, width]), on.f32(random32(2, width))];
      const make = () => [heads, kvHeads, kvHeads].map((n) => on.blank(rows, n * hd));
      const [plain, biased, dqkv] = [make(), make(), on.blank(rows, width)];
      rotary(on.gpu, shape, x, meta, tt, plain[0], plain[1], plain[2]);
      rotary(on.gpu, shape, x, meta, tt, biased[0], biased[1], biased[2], 1, bias);
      rotaryBackward(on.gpu, shape, plain[0], plain[1], plain[2], meta, tt, dqkv);
      return await Promise.all([...plain, ...biased, dqkv].map(on.read));
    }));
    u64.forEach((result, i) => assertSameBits(`result ${i}`, result, not[i]));
  });
}

Deno.test("rotary positions up to 4,096, with Llama 3's base", async () => {
  await compare(2, 1, 64, [{ prompt: 4001, continuations: [95, 20] }], 500000);
});

for (const hd of [4, 16]) {
  Deno.test(`a bias added on the way has the bits of one added before, heads of ${hd}`, async () => {
    const shape = { heads: 4, kvHeads: 2, headDim: hd };
    const { rows, rowMeta } = packGroups(GROUPS, t.gpu.subgroupSize);
    const [width, meta] = [8 * hd, t.u32(rowMeta, [rows, 4])];
    const qkv = random32(1, rows * width);
    const bias = t.f32(random32(2, width));
    const table = t.f32(ropeTable(64, hd, 10000).table);
    const results: Float32Array[][] = [];
    for (const before of [true, false]) {
      const x = t.f32(qkv, [rows, width]);
      if (before) addInto(t.gpu, x, bias);
      const out = [4, 2, 2].map((heads) => t.blank(rows, heads * hd));
      rotary(t.gpu, shape, x, meta, table, out[0], out[1], out[2], 0, before ? undefined : bias);
      results.push(await Promise.all(out.map(t.read)));
    }
    ["q", "k", "v"].forEach((name, i) => assertSameBits(name, results[1][i], results[0][i]));
  });
}

Deno.test("decoding writes keys into each row's slot, `shift` positions on, with the bits of the packed rows", async () => {
  const shape = { heads: 2, kvHeads: 1, headDim: 16 };
  const [prompt, length, width] = [6, 9, 64];
  const { rows, rowMeta } = packGroups([{ prompt, continuations: [length, length] }], t.gpu.subgroupSize);
  const { table } = ropeTable(prompt + length, 16, 10000);
  const tt = t.f32(table);
  const qkv = random32(8, rows * width);
  const packed = [t.blank(rows, 32), t.blank(rows, 16), t.blank(rows, 16)] as const;
  rotary(t.gpu, shape, t.f32(qkv, [rows, width]), t.u32(rowMeta, [rows, 4]), tt, ...packed);
  const [q, k, v] = [await t.read(packed[0]), await t.read(packed[1]), await t.read(packed[2])];
  // Slots of 12 keys at rows 20 and 40 of a cache.
  const starts = [40, 20];
  const cache = [t.blank(60, 16), t.blank(60, 16)] as const;
  const meta = t.u32(starts.flatMap((start) => [0, prompt, start, prompt]), [2, 4]);
  for (let step = 0; step < length; step++) {
    const from = [prompt + step, prompt + length + step];
    const rowsNow = from.flatMap((row) => [...qkv.subarray(row * width, (row + 1) * width)]);
    const out = t.blank(2, 32);
    rotary(t.gpu, shape, t.f32(rowsNow, [2, width]), meta, tt, out, ...cache, step);
    const expected = from.flatMap((row) => [...q.subarray(row * 32, (row + 1) * 32)]);
    assertSameBits(`q at step ${step}`, await t.read(out), Float32Array.from(expected));
  }
  for (const [at, values] of [[0, k], [1, v]] as const) {
    const expected = new Float32Array(60 * 16).fill(BLANK);
    starts.forEach((start, g) => {
      const first = (prompt + g * length) * 16;
      expected.set(values.subarray(first, first + length * 16), start * 16);
    });
    assertSameBits("cache", await t.read(cache[at]), expected);
  }
});

Deno.test("rotary refuses rows of another width", () => {
  const [kv, meta] = [t.zeros(2, 8), t.u32(new Uint32Array(8), [2, 4])];
  assertThrows(
    () => rotary(t.gpu, { heads: 2, kvHeads: 1, headDim: 8 }, t.zeros(2, 24), meta, t.zeros(8), kv, kv, kv),
    Error,
    "should be [2, 32]",
  );
});
