/** Each way's formulas by themselves: scores against densities, rows against their gradients, at odd sizes. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { dot, finiteDifference, normalisedMse, randomArray, randomStream } from "../support.ts";
import { covarianceWay } from "./covariance.ts";
import { dirichletWay } from "./dirichlet.ts";
import { gaussianWay } from "./gaussian.ts";
import { gumbelWay } from "./gumbel.ts";
import { hardWay } from "./hard.ts";
import { hiddenNoiseWay } from "./hidden_noise.ts";
import { drawing } from "./judge.ts";
import { logitNoiseWay } from "./logit_noise.ts";
import { multiplexWay } from "./multiplex.ts";
import { nearestRows, neighboursWay } from "./neighbours.ts";
import { type Gradients, type StepInput, sumOf, takeStep, topTokens, type Way } from "./way.ts";

const TAUS = [0.35, 1, 1.7];

/** A step's input with random weights, and the logits that its hidden state has. */
function makeInput(seed: number, vocabSize: number, d: number, m: number): StepInput {
  const head = randomArray(seed, vocabSize * m, 0.8);
  const hidden = randomArray(seed + 1, m);
  const logits = Float64Array.from(
    { length: vocabSize },
    (_, v) => dot(head.subarray(v * m, (v + 1) * m), hidden),
  );
  return { logits, hidden, head, table: randomArray(seed + 2, vocabSize * d) };
}

const INPUTS = [makeInput(10, 7, 3, 5), makeInput(20, 11, 5, 3), makeInput(30, 33, 7, 9)];

/** Runs a check on steps of a way: all inputs, several draws. */
function onSteps<Action>(way: Way<Action>, check: (input: StepInput, action: Action, n: number) => void) {
  INPUTS.forEach((input, i) => {
    const draw = drawing(way.draws(input), randomStream(100 + i));
    for (let n = 0; n < 4; n++) check(input, takeStep(way, input, draw()).action, n);
  });
}

const PARTS = ["logits", "table", "hidden", "head"] as const;

/** Holds all parts of a gradient, absent ones as 0, against central differences of a function of the input. */
function assertGradient(input: StepInput, gradients: Gradients, value: () => number, what: string) {
  for (const part of PARTS) {
    const numeric = finiteDifference(value, input[part], 1e-5);
    const given = gradients[part] ?? new Float64Array(numeric.length);
    const size = Math.sqrt(dot(numeric, numeric) / numeric.length);
    const isSmall = size < 1e-7 && given.every((x) => Math.abs(x) < 1e-7);
    assert(isSmall || normalisedMse(given, numeric) < 1e-10, `${what}, ${part}: ${given} is not ${numeric}`);
  }
}

/** The score is the density's, and the row a function of the action and of weights that its backward covers. */
function testExact<Action>(way: Way<Action>, tau: number) {
  Deno.test(`${way.name}, tau ${tau}: score and row have the gradients that are claimed`, () => {
    assertEquals(way.kind, "score function");
    onSteps(way, (input, action, n) => {
      assertGradient(input, way.score(input, action), () => way.logProbability!(input, action), "score");
      const dRow = randomArray(n, way.row(input, action).length);
      const along = () => dot(dRow, way.row(input, action));
      assertGradient(input, way.rowBackward(input, action, dRow), along, "row");
    });
  });
}

for (const tau of TAUS) {
  testExact(hardWay(tau), tau);
  testExact(multiplexWay({ tau, width: 3 }), tau);
  testExact(gaussianWay("soft", tau, 0.3), tau);
  testExact(gumbelWay({ tau }), tau);
  testExact(gumbelWay({ tau, form: "plain", gumbelTau: 0.7, width: 3 }), tau);
  testExact(dirichletWay({ tau, alpha: 3 }), tau);
  testExact(covarianceWay({ tau, eta: 0.4 }), tau);
  testExact(covarianceWay({ tau, eta: 0.4, width: 3 }), tau);
  testExact(neighboursWay({ tau, rho: 0.5, weighting: "uniform" }), tau);
  for (const follows of ["constant", "own"] as const) {
    testExact(logitNoiseWay({ tau, scale: 0.8, follows }), tau);
    testExact(logitNoiseWay({ tau, scale: 0.8, follows, differences: true }), tau);
    testExact(logitNoiseWay({ tau, scale: 0.8, follows, width: 5 }), tau);
    testExact(logitNoiseWay({ tau, scale: 0.8, follows, width: 5, differences: true }), tau);
    testExact(hiddenNoiseWay({ tau, scale: 0.8, follows }), tau);
  }
}
testExact(gaussianWay("fuzzy", 0.02, 0.3), 0.02);

Deno.test("what makes a surrogate: rows that move with the logits while the action stands", () => {
  const moves = <Action>(way: Way<Action>) => {
    assertEquals(way.kind, "surrogate");
    let largest = 0;
    onSteps(way, (input, action, n) => {
      const dRow = randomArray(n, way.row(input, action).length);
      const slope = finiteDifference(() => dot(dRow, way.row(input, action)), input.logits, 1e-6);
      largest = Math.max(largest, ...slope.map(Math.abs));
    });
    return largest;
  };
  assert(moves(multiplexWay({ tau: 1, width: 3, weighting: "probability" })) > 0.01);
  assert(moves(neighboursWay({ tau: 1, rho: 0.5, weighting: "probability" })) > 0.01);
  assert(moves(logitNoiseWay({ tau: 1, scale: 0.5, width: 5, others: "kept" })) > 0.01);
  assertThrows(
    () => logitNoiseWay({ tau: 1, scale: 0.5, width: 5, others: "kept", differences: true }),
    Error,
    "sum",
  );
});

Deno.test("gumbel as published: the score is that of its own loss where nothing is clamped, and has a floor", () => {
  const way = gumbelWay({ tau: 0.5, form: "published", width: 3 });
  for (const input of INPUTS) {
    const { action } = way.act(input, { uniforms: [0.3, 0.5, 0.9], normals: [] });
    const loss = () => way.logProbability!(input, action);
    assertGradient(input, way.score(input, action), loss, "score");
  }
  // G beyond the bounds is that at the bounds.
  const at = (u: number) => way.act(INPUTS[0], { uniforms: [u, 0.5, 0.5], normals: [] }).action.g[0];
  assertAlmostEquals(at(1 - 1e-9) - at(1e-9), 4.5, 1e-12);
  assertAlmostEquals(at(1 - 1e-9), at(1 - 1e-3), 1e-12);
});

Deno.test("covariance: weights sum to 1, and a floor leaves a score of mean 0 that ends at the mean's term", () => {
  const eta = 0.6;
  const exact = covarianceWay({ tau: 1, eta });
  const floored = covarianceWay({ tau: 1, eta, floor: 0.05 });
  const input = INPUTS[1];
  const draw = drawing(exact.draws(input), randomStream(5));
  const samples = 40000;
  const mean = new Float64Array(11);
  for (let n = 0; n < samples; n++) {
    const { action } = exact.act(input, draw());
    if (n < 5) assertAlmostEquals(sumOf(action.weights), 1, 1e-12);
    floored.score(input, action).logits!.forEach((s, i) => mean[i] += s / samples);
    if (n === 0) {
      const none = covarianceWay({ tau: 1, eta, floor: 1 }).score(input, action).logits!;
      const meanTerm = covarianceWay({ tau: 1, eta, score: "mean" }).score(input, action).logits!;
      assertEquals([...none], [...meanTerm]);
    }
  }
  // The score's standard deviation is about 1 / eta at most.
  for (const x of mean) assert(Math.abs(x) < 4 / eta / Math.sqrt(samples), `mean score ${mean}`);
});

Deno.test("gumbel, 5 tokens: the plain score has variance k - 2 + k sum p^2, that of w k (k - 1) / (k + 1)", () => {
  for (const [spread, least] of [[0, 0.15], [4, 0.3]]) {
    const input = { ...INPUTS[0], logits: INPUTS[0].logits.map((_, v) => v < 5 ? spread * v / 5 : -99) };
    const square = (form: "plain" | "low-variance") => {
      const way = gumbelWay({ tau: 1, form });
      const draw = drawing(way.draws(input), randomStream(3));
      let sum = 0;
      for (let n = 0; n < 40000; n++) {
        const { logits } = way.score(input, way.act(input, draw()).action);
        sum += dot(logits!, logits!) / 40000;
      }
      return sum;
    };
    const top = topTokens(input.logits, 5).map((v) => Math.exp(input.logits[v]));
    const total = top.reduce((a, b) => a + b, 0);
    const sumOfSquares = top.reduce((sum, x) => sum + (x / total) ** 2, 0);
    const [plain, low] = [square("plain"), square("low-variance")];
    console.log(
      `gumbel, 5 tokens, sum p^2 ${sumOfSquares.toFixed(2)}: variances ${plain.toFixed(2)}, ${
        low.toFixed(2)
      }`,
    );
    assertAlmostEquals(plain, 3 + 5 * sumOfSquares, 0.1);
    assertAlmostEquals(low, 5 * 4 / 6, 0.05);
    assert(1 - low / plain > least);
  }
});

Deno.test("ties: the lower id is the larger, in top-k and among neighbours", () => {
  assertEquals(topTokens(Float64Array.of(1, 2, 0, 2, 1), 4), [1, 3, 0, 4]);
  const table = Float64Array.of(1, 0, 2, 0, 0, 1, 3, 0, -1, 0);
  assertEquals(nearestRows({ ...INPUTS[0], table, logits: new Float64Array(5) }, 1, 3), [0, 3, 2]);
});

Deno.test("shadows: the first token, the most probable, or the largest weight", () => {
  const input = INPUTS[0];
  const half = { uniforms: new Array(60).fill(0.5), normals: new Array(60).fill(0) };
  const shadowOf = <Action>(way: Way<Action>, draws = half) => way.act(input, draws).shadow;
  const top = topTokens(input.logits, 2);
  assertEquals(shadowOf(gaussianWay("soft", 1, 1)), top[0]);
  assertEquals(shadowOf(gumbelWay({ tau: 1 })), top[0]);
  // With much less of x the second token wins.
  assertEquals(shadowOf(gumbelWay({ tau: 1 }), { ...half, uniforms: [0.01, 0.9999, 0.5, 0.5, 0.5] }), top[1]);
  assertEquals(shadowOf(neighboursWay({ tau: 1, rho: 1, weighting: "uniform" })), top[0]);
  assertEquals(shadowOf(logitNoiseWay({ tau: 1, scale: 1 })), top[0]);
  assertEquals(shadowOf(hiddenNoiseWay({ tau: 1, scale: 1 })), top[0]);
  assertEquals(shadowOf(covarianceWay({ tau: 1, eta: 1 })), top[0]);
  const way = multiplexWay({ tau: 1, width: 2 });
  const { action, shadow } = way.act(input, { uniforms: [0.01, 0.99], normals: [] });
  assertEquals(shadow, action.tokens[0]);
});
