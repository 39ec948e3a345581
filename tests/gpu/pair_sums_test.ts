import { assertEquals } from "@std/assert";
import { matrixOf } from "../../gpu/matrix.ts";
import { pairSums } from "../../gpu/ops/reduce/pair_sums.ts";
import { assertClose, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const small = await openTestGpu({ maxBinding: 4096 });

const SHAPES = [[75, 60], [1, 7], [33, 12], [300, 257]];

for (const [where, on] of [["one chunk", t], ["chunks", small]] as const) {
  Deno.test(`sums over pairs of matrices, in ${where}, and twice the same bits`, async () => {
    const values = (seed: number) => SHAPES.map(([rows, cols], i) => random32(seed + i, rows * cols));
    const [x, y] = [values(10), values(20)];
    const [a, b] = [x, y].map((set) => set.map((data, i) => on.matrix(data, SHAPES[i][0], SHAPES[i][1])));
    const found = await pairSums(on.gpu, a, b)();
    const sum = (of: (v: number, w: number) => number) =>
      x.reduce((all, set, i) => set.reduce((part, v, j) => part + of(v, y[i][j]), all), 0);
    const expected = [
      sum((v) => v * v),
      sum((_, w) => w * w),
      sum((v, w) => v * w),
      sum((v, w) => (v - w) ** 2),
    ];
    const { xx, yy, xy, difference } = found;
    [xx, yy, xy, difference].forEach((value, i) => assertClose(`sum ${i}`, [value], [expected[i]], 1e-10));
    assertEquals(await pairSums(on.gpu, a, b)(), found);
  });
}

Deno.test("20 million values a matrix; a set beside itself does not differ", async () => {
  const n = 20_000_000;
  const value = t.gpu.arena.create([n / 100, 100], "f32", "many");
  t.gpu.commands.upload(value, new Float32Array(n).fill(0.125));
  const matrices = [matrixOf(value), matrixOf(value)];
  const all = n / 32;
  assertEquals(await pairSums(t.gpu, matrices, matrices)(), { xx: all, yy: all, xy: all, difference: 0 });
  t.gpu.arena.free(value);
});
