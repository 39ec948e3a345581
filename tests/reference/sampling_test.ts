import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  noiseRow,
  normalsFromWords,
  philox,
  PHILOX_KNOWN_ANSWERS,
  uniformAt,
  uniformFromWord,
  type Words,
} from "./random.ts";
import { filteredProbabilities, sampleInverseCdf } from "./sampling.ts";
import { randomArray, randomStream } from "./support.ts";

Deno.test("Philox4x32-10 gives Random123's known answers", () => {
  for (const [counter, key, output] of PHILOX_KNOWN_ANSWERS) assertEquals(philox(counter, key), output);
});

Deno.test("uniforms lie strictly between 0 and 1", () => {
  assertEquals(uniformFromWord(0), 2 ** -25);
  assertEquals(uniformFromWord(0xffffffff), 1 - 2 ** -25);
});

Deno.test("Box-Muller keeps the radius of each pair and fills dimensions in order", () => {
  const words: Words = [0x12345678, 0x9abcdef0, 0x0fedcba9, 0x87654321];
  const [a, b, c, d] = normalsFromWords(words);
  assertAlmostEquals(a * a + b * b, -2 * Math.log(uniformFromWord(words[0])), 1e-13);
  assertAlmostEquals(c * c + d * d, -2 * Math.log(uniformFromWord(words[2])), 1e-13);
  assertAlmostEquals(Math.atan2(b, a), 2 * Math.PI * (uniformFromWord(words[1]) - 1), 1e-13);
  const address = { seed: 7, domain: 0, position: 5, rollout: 3, step: 11 };
  const row = noiseRow(address, 10);
  assertEquals([...row.slice(4, 8)], normalsFromWords(philox([1, 5, 3, 11], [7, 0])));
  assertEquals([...row.slice(8)], normalsFromWords(philox([2, 5, 3, 11], [7, 0])).slice(0, 2));
  assertEquals(uniformAt(address), uniformFromWord(philox([0, 5, 3, 11], [7, 0])[0]));
});

Deno.test("the noise is standard normal: mean, variance, kurtosis and correlation within 4 standard errors", () => {
  const n = 40000;
  const x = new Float64Array(n);
  for (let p = 0; p < n / 40; p++) {
    x.set(noiseRow({ seed: 1, domain: 0, position: p, rollout: 0, step: 0 }, 40), p * 40);
  }
  const mean = (f: (i: number) => number) => x.reduce((sum, _, i) => sum + f(i) / n, 0);
  assert(Math.abs(mean((i) => x[i])) < 4 / Math.sqrt(n));
  assert(Math.abs(mean((i) => x[i] ** 2) - 1) < 4 * Math.sqrt(2 / n));
  assert(Math.abs(mean((i) => x[i] ** 4) - 3) < 4 * Math.sqrt(96 / n));
  assert(Math.abs(mean((i) => x[i] * x[(i + 1) % n])) < 4 / Math.sqrt(n));
});

const logits = new Float64Array([1, 3, 2, 3, -1, 0]);

Deno.test("top-k keeps ties of the k-th logit", () => {
  const one = filteredProbabilities(logits, { topK: 1 });
  assertEquals([...one], [0, 0.5, 0, 0.5, 0, 0]);
  const three = filteredProbabilities(logits, { topK: 3 });
  assertEquals([...three].map((p) => p > 0), [false, true, true, true, false, false]);
});

Deno.test("top-p keeps the smallest set that reaches p, and min-p compares with the largest", () => {
  const weights = new Float64Array([0.1, 0.5, 0.05, 0.35]);
  const z = weights.map(Math.log);
  const nucleus = filteredProbabilities(z, { topP: 0.6 });
  assertAlmostEquals(nucleus[1], 0.5 / 0.85, 1e-14);
  assertAlmostEquals(nucleus[3], 0.35 / 0.85, 1e-14);
  assertEquals([nucleus[0], nucleus[2]], [0, 0]);
  assertEquals([...filteredProbabilities(z, { topP: 0.4 })], [0, 1, 0, 0]);
  const least = filteredProbabilities(z, { minP: 0.15 });
  assertAlmostEquals(least[0], 0.1 / 0.95, 1e-14);
  assertEquals(least[2], 0);
});

Deno.test("filters run in order: top-p sees what top-k left, temperature comes first", () => {
  const z = new Float64Array([0.4, 0.3, 0.2, 0.1]).map(Math.log);
  // After top-k 2 the first holds 4/7 > 0.55; of the whole it holds only 0.4.
  assertEquals([...filteredProbabilities(z, { topK: 2, topP: 0.55 })], [1, 0, 0, 0]);
  const cold = filteredProbabilities(z, { temperature: 0.5 });
  assertAlmostEquals(cold[0], 0.16 / 0.3, 1e-14);
});

Deno.test("inverse CDF: boundaries, zero weights, independence of the chunk size, frequencies", () => {
  const weights = new Float64Array([0, 0.25, 0, 0.5, 0.25, 0]);
  for (const chunk of [1, 2, 4, 6, 100]) {
    assertEquals(sampleInverseCdf(weights, 1e-9, chunk), 1);
    assertEquals(sampleInverseCdf(weights, 0.25 - 1e-9, chunk), 1);
    assertEquals(sampleInverseCdf(weights, 0.25, chunk), 3);
    assertEquals(sampleInverseCdf(weights, 0.75, chunk), 4);
    assertEquals(sampleInverseCdf(weights, 1, chunk), 4);
  }
  const p = filteredProbabilities(randomArray(3, 20));
  const counts = new Float64Array(20);
  const uniform = randomStream(4);
  for (let i = 0; i < 20000; i++) counts[sampleInverseCdf(p, uniform(), 7)]++;
  for (let t = 0; t < 20; t++) {
    assert(Math.abs(counts[t] / 20000 - p[t]) < 4.5 * Math.sqrt(p[t] * (1 - p[t]) / 20000));
  }
});
