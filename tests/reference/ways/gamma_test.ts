import { assert, assertAlmostEquals } from "@std/assert";
import { randomStream } from "../support.ts";
import { digamma, GAMMA_DRAWS, logGamma, logGammaDraw } from "./gamma.ts";
import { gaussJacobi } from "./gauss_jacobi.ts";
import { drawing } from "./judge.ts";

Deno.test("ln Gamma and psi at points that are known, and psi is the derivative", () => {
  assertAlmostEquals(logGamma(0.5), Math.log(Math.PI) / 2, 1e-13);
  assertAlmostEquals(logGamma(5), Math.log(24), 1e-13);
  assertAlmostEquals(digamma(1), -0.5772156649015329, 1e-13);
  assertAlmostEquals(digamma(0.5), -0.5772156649015329 - 2 * Math.LN2, 1e-13);
  for (const x of [1e-3, 0.3, 1.7, 9.9, 10.1, 250]) {
    const h = 1e-5 * x;
    const slope = (logGamma(x + h) - logGamma(x - h)) / (2 * h);
    assertAlmostEquals(slope / digamma(x), 1, 1e-8, `at ${x}`);
  }
});

Deno.test("logarithms of gamma draws have mean psi(a), also where the draws themselves underflow", () => {
  const samples = 40000;
  for (const shape of [0.002, 0.4, 3]) {
    const draw = drawing(GAMMA_DRAWS, randomStream(8));
    const values = Array.from({ length: samples }, () => logGammaDraw(shape, draw(), 0));
    const mean = values.reduce((a, b) => a + b, 0) / samples;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / samples;
    assert(values.every(Number.isFinite));
    assert(Math.abs(mean - digamma(shape)) < 4 * Math.sqrt(variance / samples), `${mean} at shape ${shape}`);
    const trigamma = (digamma(shape * 1.0001) - digamma(shape * 0.9999)) / (0.0002 * shape);
    assertAlmostEquals(variance / trigamma, 1, 0.05, `variance at shape ${shape}`);
  }
});

Deno.test("Gauss-Jacobi nodes integrate the moments of a beta variable", () => {
  for (const [a, b] of [[0.4, 2.3], [1, 1], [0.5, 0.5], [5, 0.7]]) {
    const { nodes, weights } = gaussJacobi(6, a, b);
    let expected = 1;
    for (let k = 0; k < 12; k++) {
      const moment = nodes.reduce((sum, x, i) => sum + weights[i] * x ** k, 0);
      assertAlmostEquals(moment / expected, 1, 1e-9, `moment ${k} of Beta(${a}, ${b})`);
      expected *= (a + k) / (a + b + k);
    }
  }
});
