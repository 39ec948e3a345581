import { assertEquals, assertThrows } from "@std/assert";
import { categorical } from "../../gpu/ops/categorical/categorical.ts";
import { weighByRatio } from "../../gpu/ops/categorical/weigh_by_ratio.ts";
import { crossEntropy, crossEntropyBackward } from "../reference/cross_entropy.ts";
import { randomIntegers } from "../reference/support.ts";
import { assertClose, assertSameBits, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();

const SHAPES = [
  { rows: 5, vocab: 5, width: 8, tau: 1 },
  { rows: 67, vocab: 75, width: 76, tau: 0.5 },
  { rows: 9, vocab: 63, width: 63, tau: 1 },
  { rows: 3, vocab: 1001, width: 1004, tau: 0.01 },
  { rows: 2, vocab: 151936, width: 151936, tau: 1 },
  { rows: 40000, vocab: 3, width: 4, tau: 1 },
  { rows: 70000, vocab: 2, width: 2, tau: 1 },
];

for (const { rows, vocab, width, tau } of SHAPES) {
  Deno.test(`log-probability and gradient of ${rows} tokens out of ${vocab} at tau ${tau}`, async () => {
    const z = random32(vocab, rows * width, 3);
    for (let r = 0; r < rows; r++) z.fill(60, r * width + vocab, (r + 1) * width); // Padding must not count.
    const targets = randomIntegers(1, rows, vocab);
    const weights = random32(2, rows);
    if (rows > 2) weights[1] = 0;
    const tz = t.f32(z, [rows, width]);
    const [tt, tw] = [t.u32(targets), t.f32(weights)];
    const [logp, again] = [t.blank(rows), t.blank(rows)];
    categorical(t.gpu, tz, vocab, tau, tt, tw, logp, false);
    assertSameBits("forward leaves z alone", await t.read(tz), Float32Array.from(z));
    categorical(t.gpu, tz, vocab, tau, tt, tw, again, true);
    const options = { tau, usedVocabSize: vocab };
    const { logProbabilities } = crossEntropy(z, targets, weights, width, options);
    assertClose("ln p", await t.read(logp), logProbabilities);
    assertSameBits("ln p of forward and backward", await t.read(again), await t.read(logp));
    // The kernel gives weight * d ln p / dz; the reference the gradient of -weight * ln p.
    const expected = crossEntropyBackward(z, targets, weights, width, options).map((value) => -value);
    assertClose("dz", await t.read(tz), expected);
  });
}

for (const n of [1, 65, 5_000_000]) {
  Deno.test(`${n} actions of an older policy are weighed by their ratios, none above the bound`, async () => {
    const bound = 2;
    const [logp, old, given] = [1, 2, 3].map((seed) => random32(seed, n));
    // Equal ones, one that cannot be drawn any more, and one that hardly could be.
    const equal = Math.floor(n / 2);
    old[equal] = logp[equal];
    if (n > 1) [logp[0], old[1]] = [-Infinity, -1e4];
    const [weights, logRatio] = [t.f32(given), t.blank(n)];
    weighByRatio(t.gpu, { logp: t.f32(logp), old: t.f32(old), weights, logRatio }, bound);
    const ratios = Float32Array.from(logp, (value, i) => value - old[i]);
    assertSameBits("ln r", await t.read(logRatio), ratios);
    const found = await t.read(weights);
    assertClose(
      "weights",
      found,
      Float64Array.from(given, (w, i) => w * Math.min(Math.exp(ratios[i]), bound)),
    );
    assertEquals(found[equal], given[equal]);
    if (n > 1) assertEquals(Math.abs(found[0]), 0);
  });
}

Deno.test("categorical refuses targets, weights and results of another length", () => {
  const three = t.zeros(3);
  assertThrows(
    () => categorical(t.gpu, t.zeros(3, 4), 4, 1, t.u32([0, 0]), three, three, false),
    Error,
    "should be [3]",
  );
});
