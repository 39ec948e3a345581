/**
 * The whole estimator, as in exact_gradient_test.ts, in the ways that mix a few tokens: the mean of its gradients against the exact gradient
 * of the expected reward, which a score function has and a surrogate has not, and one batch against the f64 references of the ways, fed
 * the numbers of the same generator.
 */
import { assert, assertEquals } from "@std/assert";
import { Domain } from "../../gpu/random.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import { type MixingOptions, type Way as WayName, wayOfThinking } from "../../model/thinking/ways.ts";
import { assertClose } from "../gpu/support.ts";
import { exactWayGradient, type From, marginOfPair } from "../reference/exact_ways.ts";
import { noiseRow, normalsFromWords, philox, uniformFromWord, type Words } from "../reference/random.ts";
import { rootMeanSquare } from "../reference/soft_mixture.ts";
import { betweenFirstTwo, makePairToy, makeToy, type ToyProblem } from "../reference/toy.ts";
import { judgeEstimates } from "../reference/toy_estimator.ts";
import { EMBEDDING, type Weights } from "../reference/transformer.ts";
import { thinkInWay, wayGradient } from "../reference/way_estimator.ts";
import { covarianceWay } from "../reference/ways/covariance.ts";
import { dirichletWay } from "../reference/ways/dirichlet.ts";
import { GAMMA_TRIES } from "../reference/ways/gamma.ts";
import { gumbelWay } from "../reference/ways/gumbel.ts";
import { gumbelLaw } from "../reference/ways/gumbel_law.ts";
import { hiddenNoiseWay } from "../reference/ways/hidden_noise.ts";
import {
  hiddenNoiseLaw,
  type Law,
  logitNoiseLaw,
  multiplexLaw,
  neighboursLaw,
} from "../reference/ways/laws.ts";
import { logitNoiseWay } from "../reference/ways/logit_noise.ts";
import { multiplexWay } from "../reference/ways/multiplex.ts";
import { neighboursWay } from "../reference/ways/neighbours.ts";
import { covariancePairLaw, dirichletPairLaw, gumbelPairLaw } from "../reference/ways/pair_laws.ts";
import { type Draws, type StepInput, topTokens, type Way } from "../reference/ways/way.ts";
import { gradientError } from "./support/named_weights.ts";
import { type DeviceToy, estimateOnDevice, GROUP, SEED, withToy } from "./support/toy_batch.ts";

const BATCHES = 60;
const WIDTH = 2;
/** Not 1, so that a factor of 1 / tau would be missed. */
const TAU = 0.8;
const PAIR = makePairToy();
const TIED: ToyProblem = makeToy("soft", { tied: true });

/** The numbers of a step, by its place. */
type DrawsOf = (at: { rollout: number; position: number; step: number }, input: StepInput) => Draws;

/** The words of one draw: of a token, by its id and attempt, or of the j-th token that is drawn. */
const wordsOf = (first: number, { rollout, position, step }: Parameters<DrawsOf>[0], domain: number): Words =>
  philox([first, position, rollout, step], [SEED, domain]);

/** Without lanes between them, as among so few tokens, the order in which the device draws is that of ids. */
const multiplexDraws: DrawsOf = (at) => ({
  uniforms: [0, 1].map((j) => uniformFromWord(wordsOf(j, at, Domain.tokens)[0])),
  normals: [],
});

const gumbelDraws: DrawsOf = (at, { logits }) => ({
  uniforms: topTokens(logits, WIDTH).map((id) => uniformFromWord(wordsOf(id, at, Domain.noise)[0])),
  normals: [],
});

const covarianceDraws: DrawsOf = (at, { logits }) => ({
  uniforms: [],
  normals: topTokens(logits, WIDTH).map((id) => normalsFromWords(wordsOf(id, at, Domain.noise))[0]),
});

const dirichletDraws: DrawsOf = (at, { logits }) => {
  const tries = topTokens(logits, WIDTH).map((id) =>
    Array.from({ length: GAMMA_TRIES }, (_, i) => wordsOf(id + i * 2 ** 20, at, Domain.noise))
  );
  return {
    uniforms: tries.flatMap((words) => [
      ...words.map((word) => uniformFromWord(word[2])),
      uniformFromWord(words[0][3]),
    ]),
    normals: tries.flatMap((words) => words.map((word) => normalsFromWords(word)[0])),
  };
};

/** Whether the step is mixed, and the token where it is not. */
const neighboursDraws: DrawsOf = (at) => ({
  uniforms: [Domain.noise, Domain.tokens].map((domain) => uniformFromWord(wordsOf(0, at, domain)[0])),
  normals: [],
});

/** Of all logits or the hidden row, in their order. */
const rowDraws = (part: "logits" | "hidden"): DrawsOf => (at, input) => ({
  uniforms: [],
  normals: noiseRow({ seed: SEED, domain: Domain.noise, ...at }, input[part].length),
});

/** Of the largest logits, by their ids. */
const topDraws = covarianceDraws;

/** A way as the program has it, its reference, and the law of its rows on a toy. */
interface Case<Action> {
  name: WayName;
  options: MixingOptions & { gamma?: number; tau?: number };
  way: Way<Action>;
  law: Law;
  drawsOf: DrawsOf;
  toy?: ToyProblem;
  /** What the law follows from. */
  from?: From;
  /** It mixes no two likeliest tokens, whom a third might join. */
  unpaired?: boolean;
  /** A surrogate whose bias is too small to be seen here: it is told, and no more. */
  faint?: boolean;
}

function testWay<Action>(
  { name, options, way, law, drawsOf, toy = PAIR, from, unpaired, faint }: Case<Action>,
) {
  const embeddingRms = rootMeanSquare(toy.weights.get(EMBEDDING)!);
  const all = { width: WIDTH, tau: TAU, gamma: 0, ...options, greedy: false, embeddingRms };
  const thinking = wayOfThinking(name, all);

  const verb = way.kind === "score function" ? "is" : faint ? "is nearly" : "is not quite";
  Deno.test(`${way.name}: the mean of ${BATCHES} gradients from rollouts ${verb} that of the expected reward`, () =>
    withToy(toy, async (on) => {
      const estimates: Map<string, ArrayLike<number>>[] = [];
      for (let step = 0; step < BATCHES; step++) {
        estimates.push((await estimateOnDevice(on, thinking, step)).gradients);
      }
      if (toy === PAIR && !unpaired) {
        assert(marginOfPair(toy, law) > 0.5, "a third token may come among the two likeliest");
      }
      const exact = exactWayGradient(toy, law, from);
      const { worst, coordinates, constantError, power, partPower } = judgeEstimates(estimates, exact);
      const bias = biasOf(estimates, exact.gradients);
      const line = `${way.name}: ${way.kind}, bias = ${(100 * bias).toFixed(1)}% of the gradient's norm ` +
        `(worst coordinate ${worst.toFixed(1)} standard errors)`;
      console.log(line);
      if (Deno.env.has("SOFTCOT_SHOW_ERRORS")) {
        console.error(`ERROR ${worst.toFixed(1)} ${way.name}: ${JSON.stringify(partPower)}`);
      }
      assert(coordinates > 180, `${coordinates} coordinates`);
      assert(constantError < 1e-9, `constant coordinates off by ${constantError}`);
      for (const [part, found] of Object.entries(partPower)) assert(found > 8, `${part}: ${found}`);
      for (const [key, found] of power) assert(found > 20, `${key}: only ${found} standard errors`);
      if (way.kind === "score function") assert(worst < 4.5, line);
      else if (!faint) assert(worst > 8, line);
    }));

  Deno.test(`${way.name}: rows and gradient of one batch are those of the reference, fed the same numbers`, () =>
    withToy(toy, (on) => compareBatch(on, thinking, way, drawsOf)));

  Deno.test(`${way.name}: so they are where the head is the embedding`, () =>
    withToy(TIED, (on) => compareBatch(on, thinking, way, drawsOf)));
}

/** One batch against f64, from the draws to the gradient; only the answers' tokens and advantages are the device's. */
async function compareBatch<Action>(
  on: DeviceToy<ToyProblem>,
  thinking: Thinking,
  way: Way<Action>,
  drawsOf: DrawsOf,
) {
  const { toy } = on;
  const step = 1000;
  const batch = await estimateOnDevice(on, thinking, step);
  const thoughts = thinkInWay(
    toy,
    way,
    GROUP,
    (rollout, t, input) => drawsOf({ rollout, position: toy.prompt.length + t, step }, input),
  );
  assertEquals(batch.scored.map(({ index }) => index), Array.from({ length: GROUP }, (_, i) => i));
  thoughts.shadows.forEach((shadows, t) =>
    assertEquals(batch.scored.map((rollout) => rollout.thinking[t]), shadows)
  );
  assertClose(`${way.name}, rows`, batch.thoughts!, thoughts.rows, 1e-11);
  const answers = batch.scored.map(({ answer }) => answer[0]);
  const advantages = batch.scored.map(({ advantage }) => advantage);
  const reference = wayGradient(toy, way, thoughts, answers, advantages);
  const error = gradientError(batch.gradients, reference);
  if (Deno.env.has("SOFTCOT_SHOW_ERRORS")) console.error(`ERROR ${error.toExponential(1)} ${way.name}`);
  assert(error <= 1e-11, `normalised error ${error}`);
  assert(batch.record.thinking.every((deviation) => deviation === 0), "the mixtures deviate");
}

/** Norm of (the mean of gradients of the loss, plus the exact gradient of the reward), in norms of the latter. */
function biasOf(estimates: Map<string, ArrayLike<number>>[], exact: Weights): number {
  const means = new Map([...exact].map(([name, gradient]) => {
    const sum = gradient.map((_, i) => estimates.reduce((total, one) => total + one.get(name)![i], 0));
    return [name, sum.map((x) => -x / estimates.length)];
  }));
  return Math.sqrt(gradientError(means, exact));
}

testWay({
  name: "multiplex",
  options: {},
  way: multiplexWay({ tau: TAU, width: WIDTH }),
  law: multiplexLaw({ tau: TAU, width: WIDTH }),
  drawsOf: multiplexDraws,
  toy: makeToy("hard"),
});

const GUMBEL = { tau: TAU, width: WIDTH, gumbelTau: 0.5 };
testWay({
  name: "gumbel",
  options: { gumbelTau: GUMBEL.gumbelTau },
  way: gumbelWay(GUMBEL),
  law: gumbelPairLaw(GUMBEL),
  drawsOf: gumbelDraws,
});
const PUBLISHED = { ...GUMBEL, form: "published" } as const;
testWay({
  name: "gumbel",
  options: { gumbelTau: GUMBEL.gumbelTau, asPublished: true },
  way: gumbelWay(PUBLISHED),
  law: gumbelLaw(PUBLISHED),
  drawsOf: gumbelDraws,
});

testWay({
  name: "dirichlet",
  options: { alpha: 2 },
  way: dirichletWay({ tau: TAU, width: WIDTH, alpha: 2 }),
  law: dirichletPairLaw({ tau: TAU, alpha: 2 }, 8),
  drawsOf: dirichletDraws,
});

for (
  const { eta, score, faint } of [
    { eta: 1, score: "exact", faint: false },
    { eta: 0.3, score: "mean", faint: true },
    { eta: 2, score: "mean", faint: false },
  ] as const
) {
  testWay({
    name: "covariance",
    options: { eta, wholeScore: score === "exact" },
    way: covarianceWay({ tau: TAU, width: WIDTH, eta, score }),
    law: covariancePairLaw({ tau: TAU, eta }, 30),
    drawsOf: covarianceDraws,
    faint,
  });
}

for (const weighting of ["uniform", "probability"] as const) {
  const step = { tau: TAU, rho: 0.5, weighting };
  testWay({
    name: "neighbours",
    options: { weighting, rho: step.rho, width: 3 },
    way: neighboursWay(step),
    law: neighboursLaw(step, PAIR.weights.get(EMBEDDING)!),
    drawsOf: neighboursDraws,
    unpaired: true,
  });
}

const SHARES = { tau: TAU, width: WIDTH, weighting: "probability" } as const;
testWay({
  name: "multiplex",
  options: { weighting: SHARES.weighting },
  way: multiplexWay(SHARES),
  law: multiplexLaw(SHARES),
  drawsOf: multiplexDraws,
  toy: makeToy("hard"),
});

for (const follows of ["own", "published"] as const) {
  const wholeScore = follows === "own";
  const top = { tau: TAU, scale: 0.4, width: WIDTH, follows, differences: true };
  testWay({
    name: "soft",
    options: { noiseOn: "top-logits", gamma: top.scale, wholeScore },
    way: logitNoiseWay(top),
    law: logitNoiseLaw(top, PAIR.config.vocabSize, 30),
    drawsOf: topDraws,
  });
  // Warm, so that few nodes integrate what the noise does to the mixture; most along the difference of the two likeliest.
  const all = { tau: 1.5, scale: 0.4, follows };
  testWay({
    name: "soft",
    options: { noiseOn: "logits", gamma: all.scale, tau: all.tau, wholeScore },
    way: logitNoiseWay(all),
    law: logitNoiseLaw(all, PAIR.config.vocabSize, [8, 4, 3, 3]),
    drawsOf: rowDraws("logits"),
    unpaired: true,
    faint: true,
  });
  const hidden = { tau: TAU, scale: 0.6, follows };
  testWay({
    name: "soft",
    options: { noiseOn: "hidden", gamma: hidden.scale, wholeScore },
    way: hiddenNoiseWay(hidden),
    law: hiddenNoiseLaw(hidden, PAIR.config.hiddenSize, [8, 3, 3, 3], betweenFirstTwo(PAIR)),
    drawsOf: rowDraws("hidden"),
    from: "hidden",
    unpaired: true,
    faint: true,
  });
}
