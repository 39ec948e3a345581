/** The largest numbers of rows, as readers of mixtures want them, and the numbers in given columns. */
import { assertEquals, assertThrows } from "@std/assert";
import { MOST_FEW } from "../../gpu/ops/few/few_tokens.ts";
import { largest, pickColumns } from "../../gpu/ops/few/largest.ts";
import { topTokens } from "../reference/ways/way.ts";
import { assertSameBits, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();

/** What `largest` finds in z [rows, width], and what lies in these columns. */
async function found(z: ArrayLike<number>, rows: number, vocab: number, width: number, k: number) {
  const numbers = t.f32(z, [rows, width]);
  // Rows may be named in any order.
  const info = t.u32(Array.from({ length: rows }, (_, r) => [rows - 1 - r, 7, 7, 7]).flat(), [rows, 4]);
  const few = { ids: t.u32(new Array(rows * k).fill(9), [rows, k]), values: t.blank(rows, k) };
  largest(t.gpu, numbers, vocab, info, few);
  const picked = t.blank(rows, k);
  pickColumns(t.gpu, numbers, few.ids, picked);
  return { ids: await t.readU32(few.ids), values: await t.read(few.values), picked: await t.read(picked) };
}

for (
  const { rows, vocab, width, k } of [
    { rows: 3, vocab: 5, width: 8, k: 5 },
    { rows: 70, vocab: 75, width: 80, k: 8 },
    { rows: 2, vocab: 2049, width: 2052, k: MOST_FEW },
    { rows: 1, vocab: 151936, width: 151936, k: 8 },
  ]
) {
  Deno.test(`the ${k} largest of ${vocab} numbers in ${rows} rows`, async () => {
    const z = random32(vocab, rows * width);
    const { ids, values, picked } = await found(z, rows, vocab, width, k);
    for (let r = 0; r < rows; r++) {
      const row = z.subarray(r * width, r * width + vocab);
      const wanted = topTokens(row, k);
      const at = r * k;
      assertEquals([...ids.subarray(at, at + k)], wanted);
      assertSameBits("numbers", values.subarray(at, at + k), Float32Array.from(wanted, (c) => row[c]));
    }
    assertSameBits("picked", picked, values);
  });
}

Deno.test("equal numbers are taken by ascending column, and 0 and negative ones as any", async () => {
  const { ids, values } = await found([0, -1, 0, 0.5, -2, 9, 9, 9], 1, 5, 8, 5);
  assertEquals([[...ids], [...values]], [[3, 0, 2, 1, 4], [0.5, 0, 0, -1, -2]]);
  const few = { ids: t.u32([0, 0, 0], [1, 3]), values: t.blank(1, 3) };
  assertThrows(
    () => largest(t.gpu, t.zeros(1, 8), 2, t.u32([0, 0, 0, 0], [1, 4]), few),
    Error,
    "the 3 largest of 2",
  );
});
