/** Each reference backward against central differences of its forward, and known answers where they exist. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { adamWStep, clipByGlobalNorm, globalNorm } from "./adamw.ts";
import { attention, attentionBackward, packedLayout, separateLayout } from "./attention.ts";
import { crossEntropy, crossEntropyBackward } from "./cross_entropy.ts";
import { embeddingBackward, embeddingGather } from "./embedding.ts";
import { linear, linearBackward, matmulNN, matmulNT, matmulTN } from "./matmul.ts";
import { rmsNorm, rmsNormBackward } from "./rms_norm.ts";
import { rope, ropeBackward, ropeFrequencies } from "./rope.ts";
import {
  addNoise,
  gaussianLogProbability,
  noiseUpstream,
  rootMeanSquare,
  softMixture,
  softMixtureBackward,
} from "./soft_mixture.ts";
import { softmax, softmaxBackward } from "./softmax.ts";
import { dot, finiteDifference, normalisedMse, randomArray, randomIntegers } from "./support.ts";
import { swiglu, swigluBackward } from "./swiglu.ts";

/** Central differences with h = 1e-5 in f64 are right to about 1e-10 relative, squared 1e-20. */
const TOLERANCE = 1e-16;

function assertGradient(name: string, analytic: Float64Array, loss: () => number, x: Float64Array) {
  const error = normalisedMse(analytic, finiteDifference(loss, x));
  assert(error <= TOLERANCE, `${name}: normalised squared error ${error} against central differences`);
}

Deno.test("the three matmul layouts agree through explicit transposes", () => {
  const a = new Float64Array([1, 2, 3, 4, 5, 6]); // [2, 3]
  const b = new Float64Array([7, 8, 9, 10, 11, 12]); // [3, 2]
  const bT = new Float64Array([7, 9, 11, 8, 10, 12]);
  const aT = new Float64Array([1, 4, 2, 5, 3, 6]);
  const product = [58, 64, 139, 154];
  assertEquals([...matmulNN(a, b, 2, 3, 2)], product);
  assertEquals([...matmulNT(a, bT, 2, 3, 2)], product);
  assertEquals([...matmulTN(aT, b, 2, 3, 2)], product);
});

Deno.test("linear's gradients match central differences", () => {
  const [rows, k, n] = [3, 5, 4];
  const [x, w, bias, up] = [
    randomArray(1, rows * k),
    randomArray(2, n * k),
    randomArray(3, n),
    randomArray(4, rows * n),
  ];
  const loss = () => dot(linear(x, w, bias, rows, k, n), up);
  const { dx, dWeight, dBias } = linearBackward(up, x, w, rows, k, n);
  assertGradient("dx", dx, loss, x);
  assertGradient("dWeight", dWeight, loss, w);
  assertGradient("dBias", dBias, loss, bias);
});

Deno.test("rms_norm's gradients match central differences, and its rows have unit RMS", () => {
  const [rows, d, eps] = [3, 7, 1e-2];
  const [x, w, up] = [randomArray(5, rows * d), randomArray(6, d), randomArray(7, rows * d)];
  const loss = () => dot(rmsNorm(x, w, rows, d, eps).y, up);
  const { dx, dWeight } = rmsNormBackward(up, x, w, rows, d, eps);
  assertGradient("dx", dx, loss, x);
  assertGradient("dWeight", dWeight, loss, w);
  const { y } = rmsNorm(x, new Float64Array(d).fill(1), rows, d, 0);
  assertAlmostEquals(dot(y, y), rows * d, 1e-12);
});

Deno.test("rope rotates pairs half a head apart, keeps lengths, and its gradient is the inverse rotation", () => {
  const [heads, headDim, positions] = [2, 6, [0, 3, 11]];
  const frequencies = ropeFrequencies({ headDim, ropeTheta: 10000 });
  const [x, up] = [randomArray(8, 3 * heads * headDim), randomArray(9, 3 * heads * headDim)];
  const forward = () => rope(x, positions, frequencies, heads, headDim);
  assertEquals([...forward().slice(0, 12)], [...x.slice(0, 12)]);
  assertAlmostEquals(dot(forward(), forward()), dot(x, x), 1e-12);
  const unit = new Float64Array(6);
  unit[1] = 1;
  const turned = rope(unit, [3], frequencies, 1, 6);
  assertAlmostEquals(turned[1], Math.cos(3 * 10000 ** (-1 / 3)), 1e-15);
  assertAlmostEquals(turned[4], Math.sin(3 * 10000 ** (-1 / 3)), 1e-15);
  const dx = ropeBackward(up, positions, frequencies, heads, headDim);
  assertGradient("dx", dx, () => dot(forward(), up), x);
});

Deno.test("scaled rope frequencies: linear divides all, llama3 only the slow ones", () => {
  const base = ropeFrequencies({ headDim: 8, ropeTheta: 500000 });
  const linearly = ropeFrequencies({
    headDim: 8,
    ropeTheta: 500000,
    ropeScaling: { type: "linear", factor: 4 },
  });
  assertEquals([...linearly], [...base].map((f) => f / 4));
  const llama3 = ropeFrequencies({
    headDim: 8,
    ropeTheta: 500000,
    ropeScaling: {
      type: "llama3",
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPosition: 8192,
    },
  });
  assertEquals(llama3[0], base[0]);
  // Wavelengths 167 (kept), 4443 (between 2048 and 8192: blended) and 118 k (divided).
  assertEquals(llama3[1], base[1]);
  assert(llama3[2] < base[2] && llama3[2] > base[2] / 8);
  assertAlmostEquals(llama3[3], base[3] / 8, 1e-20);
});

const shape = { heads: 4, kvHeads: 2, headDim: 3 };
const layout = packedLayout([{ prompt: 3, continuations: [2, 4, 1] }, { prompt: 2, continuations: [3] }]);

Deno.test("attention's gradients match central differences, with grouped heads and shared prefixes", () => {
  const rows = layout.position.length;
  const [q, k, v, up] = [
    randomArray(10, rows * 12),
    randomArray(11, rows * 6),
    randomArray(12, rows * 6),
    randomArray(13, rows * 12),
  ];
  const loss = () => dot(attention(q, k, v, layout, shape).out, up);
  const { dq, dk, dv } = attentionBackward(up, q, k, v, layout, shape);
  assertGradient("dq", dq, loss, q);
  assertGradient("dk", dk, loss, k);
  assertGradient("dv", dv, loss, v);
});

Deno.test("a shared prefix gives the outputs of separate copies and the sum of their gradients", () => {
  const shared = packedLayout([{ prompt: 3, continuations: [2, 4] }]);
  const separate = separateLayout([5, 7]);
  const source = [0, 1, 2, 3, 4, 0, 1, 2, 5, 6, 7, 8]; // Row of the shared packing for each separate row.
  const [q, k, v] = [randomArray(14, 9 * 12), randomArray(15, 9 * 6), randomArray(16, 9 * 6)];
  const copy = (x: Float64Array, width: number) => embeddingGather(x, source, width);
  const both = attention(copy(q, 12), copy(k, 6), copy(v, 6), separate, shape);
  const one = attention(q, k, v, shared, shape);
  assert(normalisedMse(both.out, copy(one.out, 12)) < 1e-28);
  assert(normalisedMse(both.lse, copy(one.lse, 4)) < 1e-28);
  const up = randomArray(17, 12 * 12);
  const apart = attentionBackward(up, copy(q, 12), copy(k, 6), copy(v, 6), separate, shape);
  const together = attentionBackward(embeddingBackward(up, source, 9, 12), q, k, v, shared, shape);
  assert(normalisedMse(together.dq, embeddingBackward(apart.dq, source, 9, 12)) < 1e-28);
  assert(normalisedMse(together.dk, embeddingBackward(apart.dk, source, 9, 6)) < 1e-28);
  assert(normalisedMse(together.dv, embeddingBackward(apart.dv, source, 9, 6)) < 1e-28);
});

Deno.test("attention to equal keys averages the values and lse is score + log(count)", () => {
  const k = new Float64Array(4 * 6).fill(0.5);
  const v = randomArray(18, 4 * 6);
  const q = new Float64Array(4 * 12).fill(2);
  const { out, lse } = attention(q, k, v, separateLayout([4]), shape);
  assertAlmostEquals(out[3 * 12 + 11], (v[5] + v[11] + v[17] + v[23]) / 4, 1e-14);
  assertAlmostEquals(lse[3 * 4], 3 / Math.sqrt(3) + Math.log(4), 1e-14);
});

Deno.test("swiglu's gradient matches central differences", () => {
  const [rows, f] = [3, 5];
  const [x, up] = [randomArray(19, rows * 2 * f), randomArray(20, rows * f)];
  assertGradient("dGateUp", swigluBackward(up, x, rows, f), () => dot(swiglu(x, rows, f), up), x);
});

Deno.test("embedding's gradient matches central differences with repeated ids", () => {
  const [vocabSize, d, ids] = [6, 3, randomIntegers(21, 10, 5)];
  const [table, up] = [randomArray(22, vocabSize * d), randomArray(23, 10 * d)];
  const loss = () => dot(embeddingGather(table, ids, d), up);
  assertGradient("dTable", embeddingBackward(up, ids, vocabSize, d), loss, table);
});

Deno.test("softmax: sums to one over used ids, known entropy and gap, gradient matches", () => {
  const [rows, vocabSize, used, tau] = [2, 6, 5, 0.5];
  const z = randomArray(24, rows * vocabSize);
  const up = randomArray(25, rows * vocabSize);
  const { probabilities } = softmax(z, rows, vocabSize, tau, used);
  assertEquals([probabilities[5], probabilities[11]], [0, 0]);
  assertAlmostEquals(probabilities.reduce((a, b) => a + b), 2, 1e-14);
  const loss = () => dot(softmax(z, rows, vocabSize, tau, used).probabilities, up);
  assertGradient("dz", softmaxBackward(up, probabilities, rows, vocabSize, tau), loss, z);
  const even = softmax(new Float64Array([1, 1, 1, 9]), 1, 4, 1, 3);
  assertAlmostEquals(even.entropy[0], Math.log(3), 1e-14);
  assertEquals([even.gap[0], even.argmax[0]], [0, 0]);
  const two = softmax(new Float64Array([-2, 3, 2.25]), 1, 3, 1e-4);
  assertEquals([two.gap[0], two.argmax[0], two.entropy[0]], [0.75, 1, 0]);
});

Deno.test("cross-entropy's gradient matches central differences, weighted and masked", () => {
  const [vocabSize, targets, weights] = [6, [3, 0, 4], [0.5, -1.25, 0]];
  const options = { tau: 0.7, usedVocabSize: 5 };
  const z = randomArray(26, 3 * vocabSize);
  const gradient = crossEntropyBackward(z, targets, weights, vocabSize, options);
  assertGradient("dz", gradient, () => crossEntropy(z, targets, weights, vocabSize, options).loss, z);
  const { logProbabilities } = crossEntropy(z, targets, weights, vocabSize, options);
  const { probabilities } = softmax(z, 3, vocabSize, 0.7, 5);
  assertAlmostEquals(logProbabilities[1], Math.log(probabilities[6]), 1e-14);
});

for (const [name, tau, spread] of [["soft", 0.5, 1], ["fuzzy with near-ties", 1e-4, 1e-4]] as const) {
  Deno.test(`soft mixture, ${name}: the recorded noise drives the gradient of the Gaussian log-probability`, () => {
    const mix = { rows: 2, vocabSize: 6, d: 4, tau, usedVocabSize: 5 };
    const z = randomArray(27, 12, spread);
    const table = randomArray(28, 24);
    const noise = randomArray(29, 8);
    const sigma = 0.33 * rootMeanSquare(table);
    const coefficients = [-0.7, 0.4];
    const { mixture, probabilities } = softMixture(z, table, mix);
    const thought = addNoise(mixture, noise, sigma);
    const loss = () =>
      dot(
        gaussianLogProbability(thought, softMixture(z, table, mix).mixture, sigma, 2),
        coefficients,
      );
    const { dLogits, dTable } = softMixtureBackward(
      noiseUpstream(noise, coefficients, sigma),
      probabilities,
      table,
      mix,
    );
    // The step has to be small beside tau.
    const numeric = finiteDifference(loss, z, 1e-4 * tau);
    assert(normalisedMse(dLogits, numeric) < 1e-12, `dLogits: ${normalisedMse(dLogits, numeric)}`);
    assertGradient("dTable", dTable, loss, table);
  });
}

Deno.test("AdamW: the first step moves by the learning rate, the second follows the written-out formula", () => {
  const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.01 };
  const w = new Float64Array([2, -3]);
  const [m, v] = [new Float64Array(2), new Float64Array(2)];
  adamWStep(w, new Float64Array([0.5, -4]), m, v, { ...options, step: 1 });
  assertAlmostEquals(w[0], 2 * (1 - 0.001) - 0.1, 1e-8);
  assertAlmostEquals(w[1], -3 * (1 - 0.001) + 0.1, 1e-8);
  const before = w[0];
  adamWStep(w, new Float64Array([1, 0]), m, v, { ...options, step: 2 });
  const mHat = (0.9 * 0.05 + 0.1 * 1) / (1 - 0.81);
  const vHat = (0.95 * 0.0125 + 0.05) / (1 - 0.9025);
  assertAlmostEquals(w[0], before * 0.999 - 0.1 * mHat / (Math.sqrt(vHat) + 1e-8), 1e-14);
});

Deno.test("clipping scales every array by one factor, and leaves small gradients alone", () => {
  const gradients = [new Float64Array([3, 0]), new Float64Array([4])];
  assertEquals(clipByGlobalNorm(gradients, 10), 5);
  assertEquals([...gradients[0], ...gradients[1]], [3, 0, 4]);
  assertEquals(clipByGlobalNorm(gradients, 1), 5);
  assertAlmostEquals(globalNorm(gradients), 1, 1e-15);
  assertAlmostEquals(gradients[1][0], 0.8, 1e-15);
});
