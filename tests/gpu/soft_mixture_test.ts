import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { addNoise, noiseBackward, noiseMismatch, noiseRatioBackward } from "../../gpu/ops/mixture/noise.ts";
import { mixtureBackward } from "../../gpu/ops/mixture/mixture_backward.ts";
import { noiseRow } from "../reference/random.ts";
import { noiseUpstream } from "../reference/soft_mixture.ts";
import { softmax, softmaxBackward } from "../reference/softmax.ts";
import { assertClose, assertSameBits, BLANK, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const KEY = { seed: 99, domain: 0, step: 4 };

for (
  const { rows, d } of [{ rows: 3, d: 4 }, { rows: 5, d: 60 }, { rows: 17, d: 576 }, { rows: 2, d: 8192 }]
) {
  const info = Array.from({ length: rows }, (_, r) => [(r + 1) % rows, 50 + r, 0, 7 + r]).flat();
  const shift = 5;
  const noise = new Float64Array(rows * d);
  for (let r = 0; r < rows; r++) {
    noise.set(noiseRow({ ...KEY, position: 7 + r + shift, rollout: 50 + r }, d), r * d);
  }
  const sigma = 0.33;
  const address = () => ({ info: t.u32(info, [rows, 4]), shift, key: KEY });

  Deno.test(`the noise of ${rows} rows of ${d} is the reference's, added and stored`, async () => {
    const m = random32(1, rows * d, 0.5);
    const tm = t.f32(m, [rows, d]);
    const next = t.blank(rows, d);
    const hidden = t.blank(rows, 3, d);
    addNoise(t.gpu, tm, sigma, address(), next, hidden, 1);
    const noisy = await t.read(next);
    assertClose("h", noisy, m.map((value, i) => value + sigma * noise[i]));
    const stored = await t.read(hidden);
    for (let r = 0; r < rows; r++) {
      const slot = ((r + 1) % rows * 3 + 1) * d;
      assertSameBits("stored", stored.slice(slot, slot + d), noisy.slice(r * d, (r + 1) * d));
      assert(
        stored.subarray(slot - d, slot).every((value) => value === BLANK),
        "other columns are untouched",
      );
    }
  });

  Deno.test(`the noise's upstream gradient, ${rows} rows of ${d}`, async () => {
    const weights = random32(2, rows);
    const g = t.blank(rows, d);
    noiseBackward(t.gpu, t.f32(weights), sigma, address(), g);
    assertClose("g", await t.read(g), noiseUpstream(noise, weights, sigma));
  });

  Deno.test(`the upstream gradient of rows that another mixture made, weighed by the ratio of densities, ${rows} rows of ${d}`, async () => {
    const bound = 2;
    const weights = random32(2, rows);
    const mean = random32(1, rows * d, 0.5);
    const made = t.blank(rows, d);
    addNoise(t.gpu, t.f32(mean, [rows, d]), sigma, address(), made, t.blank(rows, 1, d), 0);
    const h = await t.read(made);
    // About as far as makes some ratios larger than the bound, and others small.
    const off = random32(8, rows * d, 1.5 * sigma / Math.sqrt(d));
    const moved = mean.map((value, i) => Math.fround(value + off[i]));
    const [g, logRatio] = [t.blank(rows, d), t.blank(rows)];
    const score = async (m: ArrayLike<number>) => {
      const given = { m: t.f32(m, [rows, d]), h: made, weight: t.f32(weights), sigma, bound };
      noiseRatioBackward(t.gpu, given, address(), g, logRatio);
      return [await t.read(g), await t.read(logRatio)];
    };
    const logDensity = (m: ArrayLike<number>, r: number) => {
      let sum = 0;
      for (let i = r * d; i < (r + 1) * d; i++) sum -= (h[i] - m[i]) ** 2 / (2 * sigma * sigma);
      return sum;
    };
    const old = Float64Array.from(h, (value, i) => value - sigma * noise[i]);
    const ratios = Array.from({ length: rows }, (_, r) => logDensity(moved, r) - logDensity(old, r));
    const [gradient, found] = await score(moved);
    ratios.forEach((ratio, r) => assertAlmostEquals(found[r], ratio, 1e-3, `ln r of row ${r}`));
    const expected = Float64Array.from(h, (value, i) => {
      const r = Math.floor(i / d);
      return weights[r] * Math.min(Math.exp(ratios[r]), bound) * (value - moved[i]) / sigma ** 2;
    });
    assertClose("g", gradient, expected);
    if (rows > 5) {
      assert(ratios.some((one) => one > Math.log(bound)) && ratios.some((one) => one < 0), `${ratios}`);
    }
    const plain = t.blank(rows, d);
    noiseBackward(t.gpu, t.f32(weights), sigma, address(), plain);
    const [same, none] = await score(mean);
    assertSameBits("where nothing moved", same, await t.read(plain));
    assertEquals([...none], Array(rows).fill(0));
  });

  Deno.test(`the mismatch is exactly 0 for the same m, and measures another, ${rows} rows of ${d}`, async () => {
    const m = random32(3, rows * d);
    const off = random32(4, rows * d, 0.01);
    const tm = t.f32(m, [rows, d]);
    const next = t.blank(rows, d);
    addNoise(t.gpu, tm, sigma, address(), next, t.blank(rows, 1, d), 0);
    const out = t.blank(rows);
    noiseMismatch(t.gpu, tm, next, sigma, address(), out);
    assertEquals([...await t.read(out)], Array(rows).fill(0));
    const moved = m.map((value, i) => Math.fround(value + off[i]));
    noiseMismatch(t.gpu, t.f32(moved, [rows, d]), next, sigma, address(), out);
    const expected = Float64Array.from({ length: rows }, (_, r) => {
      let sum = 0;
      for (let i = r * d; i < (r + 1) * d; i++) sum += (moved[i] - m[i]) ** 2;
      return Math.sqrt(sum / d) / sigma;
    });
    assertClose("mismatch", await t.read(out), expected);
  });
}

Deno.test("antithetic: rollouts 2 i and 2 i + 1 have the noise of rollout i, the second with the other sign, back too", async () => {
  const [rows, d, sigma] = [6, 12, 0.5];
  const info = t.u32(Array.from({ length: rows }, (_, r) => [r, 10 + r, 0, 3]).flat(), [rows, 4]);
  const at = { info, shift: 0, key: KEY, antithetic: true };
  const noise = Float64Array.from({ length: rows }, (_, r) => r).reduce((all, r) => {
    const eps = noiseRow({ ...KEY, position: 3, rollout: Math.floor((10 + r) / 2) }, d);
    all.set(eps.map((x) => r % 2 === 0 ? x : -x), r * d);
    return all;
  }, new Float64Array(rows * d));
  const m = t.f32(random32(6, rows * d), [rows, d]);
  const [next, g, out] = [t.blank(rows, d), t.blank(rows, d), t.blank(rows)];
  addNoise(t.gpu, m, sigma, at, next, t.blank(rows, 1, d), 0);
  const mean = await t.read(m);
  assertClose("h", await t.read(next), mean.map((value, i) => value + sigma * noise[i]));
  const weights = random32(7, rows);
  noiseBackward(t.gpu, t.f32(weights), sigma, at, g);
  assertClose("g", await t.read(g), noiseUpstream(noise, weights, sigma));
  noiseMismatch(t.gpu, m, next, sigma, at, out);
  assertEquals([...await t.read(out)], Array(rows).fill(0));
});

Deno.test("sigma 0 adds nothing: greedy soft thinking", async () => {
  const m = random32(5, 3 * 8);
  const next = t.blank(3, 8);
  const info = t.u32([0, 0, 0, 0, 1, 1, 0, 0, 2, 2, 0, 0], [3, 4]);
  addNoise(t.gpu, t.f32(m, [3, 8]), 0, { info, shift: 0, key: KEY }, next, t.blank(3, 1, 8), 0);
  assertEquals(await t.read(next), Float32Array.from(m));
});

Deno.test("noise refuses widths that are no multiple of 4", () => {
  const at = { info: t.u32([0, 0, 0, 0], [1, 4]), shift: 0, key: KEY };
  assertThrows(() => noiseBackward(t.gpu, t.f32([1]), 1, at, t.zeros(1, 6)), Error, "multiple of 4");
});

const SHAPES = [
  { rows: 5, vocab: 5, width: 8 },
  { rows: 33, vocab: 75, width: 76 },
  { rows: 4, vocab: 1001, width: 1004 },
  { rows: 2, vocab: 151936, width: 151936 },
];

for (const { rows, vocab, width } of SHAPES) {
  for (const tau of [0.5, 1e-4]) {
    Deno.test(`the mixture's backward over ${vocab} tokens at tau ${tau}`, async () => {
      const z = random32(6, rows * width, 2);
      // At a low temperature only near-ties have a gradient: make some.
      for (let r = 0; r < rows; r++) {
        z[r * width + vocab - 1] = 12;
        z[r * width + 1] = Math.fround(12 - 0.7 * tau);
        z[r * width + vocab - 2] = Math.fround(12 - 1.9 * tau);
        z.fill(80, r * width + vocab, (r + 1) * width);
      }
      const u = random32(7, rows * width);
      const { probabilities, gap, argmax } = softmax(z, rows, width, tau, vocab);
      const dz = softmaxBackward(u, probabilities, rows, width, tau);
      const norms = Array.from(
        { length: rows },
        (_, r) => Math.sqrt(dz.subarray(r * width, (r + 1) * width).reduce((sum, x) => sum + x * x, 0)),
      );
      for (const clip of [0, norms[0] * 0.99]) {
        const [tz, tu, stats] = [t.f32(z, [rows, width]), t.f32(u, [rows, width]), t.blank(rows, 4)];
        mixtureBackward(t.gpu, tz, tu, vocab, tau, clip, stats);
        assertClose("p", await t.read(tz), probabilities);
        const expected = dz.map((value, i) => {
          const norm = norms[Math.floor(i / width)];
          return clip > 0 && norm > clip ? value * clip / norm : value;
        });
        assertClose("dz", await t.read(tu), expected);
        const [seen, expectedStats] = [
          await t.read(stats),
          norms.flatMap((norm, r) => [norm, gap[r], argmax[r], 0]),
        ];
        for (let i = 0; i < 4; i++) {
          const column = (values: ArrayLike<number>) =>
            Array.from({ length: rows }, (_, r) => values[4 * r + i]);
          assertClose(`statistic ${i}`, column(seen), column(expectedStats));
        }
      }
    });
  }
}
