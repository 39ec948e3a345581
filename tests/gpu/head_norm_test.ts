import { headNorm, headNormBackward } from "../../gpu/ops/norm/head_norm.ts";
import { rmsNorm, rmsNormBackward } from "../reference/rms_norm.ts";
import { addInto } from "../reference/support.ts";
import { assertClose, openTestGpu, random32 } from "./support.ts";

const software = await openTestGpu();
const tiles = await openTestGpu({ matmulFamily: "tile" });
const EPS = 1e-6;

/** The heads from `first` on, `count` of them, of every row: [rows * count, hd]. */
function take(qkv: Float64Array, rows: number, all: number, first: number, count: number, hd: number) {
  const out = new Float64Array(rows * count * hd);
  for (let r = 0; r < rows; r++) {
    const from = (r * all + first) * hd;
    out.set(qkv.subarray(from, from + count * hd), r * count * hd);
  }
  return out;
}

for (
  const { rows, heads, kvHeads, hd } of [
    { rows: 3, heads: 2, kvHeads: 1, hd: 8 },
    { rows: 70, heads: 5, kvHeads: 5, hd: 12 },
    { rows: 11, heads: 16, kvHeads: 8, hd: 128 },
    { rows: 4097, heads: 2, kvHeads: 1, hd: 4 },
  ]
) {
  for (const [device, t] of [["software devices", software], ["GPUs", tiles]] as const) {
    Deno.test(`the norm on heads for ${device}, ${rows} rows of ${heads} + 2 * ${kvHeads} heads of ${hd}`, async () => {
      const all = heads + 2 * kvHeads;
      const [x, dy] = [random32(1, rows * all * hd, 2), random32(2, rows * all * hd)];
      const [wq, wk] = [random32(3, hd), random32(4, hd)];
      const weights = { q: t.f32(wq), k: t.f32(wk) };
      const shape = { heads, kvHeads, headDim: hd };
      const tx = t.f32(x, [rows, all * hd]);
      const out = t.blank(rows, all * hd);
      headNorm(t.gpu, shape, tx, weights, EPS, out);
      const [dqBefore, dkBefore] = [random32(5, hd), random32(6, hd)];
      const dweights = { q: t.f32(dqBefore), k: t.f32(dkBefore) };
      const dx = t.blank(rows, all * hd);
      headNormBackward(t.gpu, shape, tx, weights, EPS, t.f32(dy, [rows, all * hd]), dx, dweights);

      const [y, gradient] = [await t.read(out), await t.read(dx)].map((values) => Float64Array.from(values));
      const part = (values: Float64Array, first: number, count: number) =>
        take(values, rows, all, first, count, hd);
      const kinds = [[0, heads, wq, dweights.q, dqBefore], [
        heads,
        kvHeads,
        wk,
        dweights.k,
        dkBefore,
      ]] as const;
      for (const [first, count, w, dweight, before] of kinds) {
        const px = part(x, first, count);
        assertClose("y", part(y, first, count), rmsNorm(px, w, rows * count, hd, EPS).y);
        const expected = rmsNormBackward(part(dy, first, count), px, w, rows * count, hd, EPS);
        assertClose("dx", part(gradient, first, count), expected.dx);
        assertClose("dweight", await t.read(dweight), addInto(before, expected.dWeight));
      }
      const v = heads + kvHeads;
      assertClose("v", part(y, v, kvHeads), part(x, v, kvHeads), 0);
      assertClose("dv", part(gradient, v, kvHeads), part(dy, v, kvHeads), 0);
    });
  }
}
