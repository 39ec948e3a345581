import { assert, assertEquals, assertThrows } from "@std/assert";
import { filter, type Filters } from "../../gpu/ops/choose/filter.ts";
import { filteredProbabilities } from "../reference/sampling.ts";
import { openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const OUT = Math.fround(-3.0e38);

/** Which tokens of each row are kept, after checking that what is kept, and the padding, is unchanged. */
async function kept(z: Float64Array, rows: number, vocab: number, tau: number, filters: Filters) {
  const width = z.length / rows;
  const tz = t.f32(z, [rows, width]);
  filter(t.gpu, tz, vocab, tau, filters);
  const after = await t.read(tz);
  return Array.from({ length: rows }, (_, r) => {
    const before = z.subarray(r * width, (r + 1) * width);
    const row = after.subarray(r * width, (r + 1) * width);
    row.forEach((value, i) =>
      assert(value === before[i] || (i < vocab && value === OUT), `${value} at ${i}`)
    );
    return [...row.subarray(0, vocab)].map((value) => value !== OUT);
  });
}

/** The reference's answer for topP a little lower and higher: where they differ, rounding may decide. */
function expected(logits: Float64Array, tau: number, filters: Filters) {
  const at = (factor: number) =>
    filteredProbabilities(logits, {
      temperature: tau,
      ...filters,
      topP: filters.topP === undefined || filters.topP === 1 ? undefined : filters.topP * factor,
      minP: filters.minP === undefined ? undefined : filters.minP * (2 - factor),
    });
  return [at(1 - 3e-6), at(1 + 3e-6)].map((p) => [...p].map((value) => value > 0));
}

const CASES: Filters[] = [
  { topK: 1 },
  { topK: 7 },
  { topK: 1000000 },
  { topP: 0.9 },
  { topP: 0.05 },
  { topP: 1e-6 },
  { topP: 1 },
  { minP: 0.1 },
  { minP: 1 },
  { minP: 0 },
  { topK: 40, topP: 0.8 },
  { topK: 5, topP: 0.95, minP: 0.2 },
  {},
];

for (
  const { rows, vocab, width, tau, scale } of [
    { rows: 11, vocab: 5, width: 8, tau: 1, scale: 2 },
    { rows: 7, vocab: 75, width: 76, tau: 0.5, scale: 1 },
    { rows: 3, vocab: 1001, width: 1001, tau: 1.7, scale: 3 },
    { rows: 2, vocab: 151936, width: 151940, tau: 0.8, scale: 2.5 },
  ]
) {
  Deno.test(`filters on ${vocab} tokens keep what the reference keeps`, async () => {
    const z = random32(vocab, rows * width, scale);
    for (let r = 0; r < rows; r++) z.fill(50, r * width + vocab, (r + 1) * width);
    for (const filters of CASES) {
      const rowsKept = await kept(z, rows, vocab, tau, filters);
      rowsKept.forEach((row, r) => {
        const [low, high] = expected(z.slice(r * width, r * width + vocab), tau, filters);
        let doubtful = 0;
        row.forEach((keeps, i) => {
          assert(keeps === low[i] || keeps === high[i], `${JSON.stringify(filters)}, row ${r}, token ${i}`);
          if (low[i] !== high[i]) doubtful++;
        });
        assert(doubtful <= 1 + vocab * 1e-4, `${doubtful} tokens are decided by rounding`);
      });
    }
  });
}

Deno.test("ties at a threshold stay, whatever their sign; -0 ties with 0", async () => {
  const keep = async (logits: number[], filters: Filters) =>
    (await kept(Float64Array.from(logits), 1, logits.length, 1, filters))[0].map(Number).join("");
  assertEquals(await keep([1, 3, 2, 3, -1, 0], { topK: 1 }), "010100");
  assertEquals(await keep([-4, -3, -3, -5, -9], { topK: 2 }), "01100");
  assertEquals(await keep([-4, -3, -3, -5, -9], { topK: 3 }), "11100");
  assertEquals(await keep([-1, -0, 0, -2], { topK: 1 }), "0110");
  assertEquals(await keep([2, 2, 2, 2], { topP: 0.3 }), "1111");
  assertEquals(await keep([2, 2, 2, 2], { topK: 2, minP: 1 }), "1111");
  const z = [0.4, 0.3, 0.2, 0.1].map(Math.log).map(Math.fround);
  // After top-k 2 the first holds 4/7 > 0.55; of the whole it holds only 0.4.
  assertEquals(await keep(z, { topK: 2, topP: 0.55 }), "1000");
  assertEquals(await keep(z, { topP: 0.55 }), "1100");
});

Deno.test("logits already shut out stay out and do not count", async () => {
  const z = Float64Array.from([5, OUT, 4, 3, OUT, 2]);
  assertEquals((await kept(z, 1, 6, 1, { topK: 3 }))[0].map(Number), [1, 0, 1, 1, 0, 0]);
  assertEquals((await kept(z, 1, 6, 1, { topP: 0.99 }))[0].map(Number), [1, 0, 1, 1, 0, 1]);
});

Deno.test("filters outside their range throw", () => {
  const z = t.zeros(1, 4);
  for (const bad of [{ topK: 0 }, { topK: 2.5 }, { topP: 0 }, { topP: 1.1 }, { minP: -0.1 }, { minP: NaN }]) {
    assertThrows(() => filter(t.gpu, z, 4, 1, bad), Error, "Cannot filter by");
  }
});
