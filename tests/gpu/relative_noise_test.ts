/** Noise in units of a row's own root mean square: on logits and on hidden rows, against the f64 references of the ways. */
import { assertEquals } from "@std/assert";
import { addRelativeNoise, relativeNoiseScore } from "../../gpu/ops/mixture/relative_noise.ts";
import { noiseRow } from "../reference/random.ts";
import { noiseScore, sigmaOf } from "../reference/ways/noise_scale.ts";
import { assertClose, assertSameBits, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const KEY = { seed: 99, domain: 0, step: 4 };
const SCALE = 0.4;

for (
  const { rows, n, width } of [
    { rows: 3, n: 5, width: 8 },
    { rows: 70, n: 75, width: 80 },
    { rows: 2, n: 8192, width: 8192 },
    { rows: 5, n: 2049, width: 2052 },
    { rows: 1, n: 151935, width: 151936 },
  ]
) {
  const x = random32(n, rows * width, 2);
  const rowOf = (r: number) => x.subarray(r * width, r * width + n);
  const noiseOf = (r: number) => noiseRow({ ...KEY, position: 7 + r + 5, rollout: 50 + r }, n);
  const noise = () => {
    const info = t.u32(Array.from({ length: rows }, (_, r) => [r, 50 + r, 0, 7 + r]).flat(), [rows, 4]);
    return { n, scale: SCALE, at: { info, shift: 5, key: KEY } };
  };
  /** The rows with their first n columns changed. */
  const changed = (change: (row: Float64Array, r: number) => Float64Array, rest?: number) => {
    const out = rest === undefined ? x.slice() : new Float64Array(x.length).fill(rest);
    for (let r = 0; r < rows; r++) out.set(change(rowOf(r), r), r * width);
    return out;
  };

  Deno.test(`the noise of ${rows} rows of ${n}, in units of their root mean square, is the reference's`, async () => {
    const found = t.f32(x, [rows, width]);
    addRelativeNoise(t.gpu, found, noise());
    const wanted = changed((row, r) => {
      const eps = noiseOf(r);
      const sigma = sigmaOf(row, { scale: SCALE, follows: "own" });
      return row.map((value, i) => value + sigma * eps[i]);
    });
    const noisy = await t.read(found);
    assertClose("noisy", noisy, wanted);
    const again = t.f32(x, [rows, width]);
    addRelativeNoise(t.gpu, again, noise());
    assertSameBits("noise", await t.read(again), noisy);
  });

  for (const whole of [false, true]) {
    Deno.test(`the score of ${rows} rows of ${n}, of ${whole ? "the noise's size too" : "the mean alone"}`, async () => {
      const factors = random32(3, rows);
      const follows = whole ? "own" : "published";
      const wanted = changed(
        (row, r) => noiseScore(row, noiseOf(r), { scale: SCALE, follows }).map((s) => factors[r] * s),
        0,
      );
      const norms = Array.from(
        { length: rows },
        (_, r) => Math.sqrt(wanted.subarray(r * width, (r + 1) * width).reduce((sum, s) => sum + s * s, 0)),
      );
      for (const clip of [0, norms[0] * 0.9]) {
        const found = t.f32(x, [rows, width]);
        const stats = t.blank(rows, 4);
        relativeNoiseScore(t.gpu, found, noise(), { factor: t.f32(factors), whole, clip, stats });
        const bounded = wanted.map((s, i) => {
          const norm = norms[Math.floor(i / width)];
          return clip > 0 && norm > clip ? s * clip / norm : s;
        });
        assertClose("score", await t.read(found), bounded);
        assertClose("statistics", await t.read(stats), norms.flatMap((norm) => [norm, 0, 0, 0]));
      }
    });
  }
}

Deno.test("rows of nothing but zeros stay finite", async () => {
  const noise = { n: 5, scale: 1, at: { info: t.u32([0, 0, 0, 0], [1, 4]), shift: 0, key: KEY } };
  const x = t.zeros(1, 8);
  addRelativeNoise(t.gpu, x, noise);
  assertEquals((await t.read(x)).every(Number.isFinite), true);
  const stats = t.blank(1, 4);
  const z = t.zeros(1, 8);
  relativeNoiseScore(t.gpu, z, noise, { factor: t.f32([1]), whole: true, clip: 0, stats });
  assertEquals((await t.read(z)).every(Number.isFinite), true);
});
