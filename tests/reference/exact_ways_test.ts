/** The exact gradient of ways that mix a few tokens is exact, and the policy gradient's mean is it, with every term. */
import { assert, assertAlmostEquals } from "@std/assert";
import { exactWayGradient, expectedRewardOfWay, type From, marginOfPair } from "./exact_ways.ts";
import { finiteDifference, normalisedMse, randomStream } from "./support.ts";
import { betweenFirstTwo, makePairToy, makeToy, type ToyProblem } from "./toy.ts";
import { judgeEstimates } from "./toy_estimator.ts";
import { EMBEDDING, type Weights } from "./transformer.ts";
import { estimateWay } from "./way_estimator.ts";
import { covarianceWay } from "./ways/covariance.ts";
import { dirichletWay } from "./ways/dirichlet.ts";
import { gumbelWay } from "./ways/gumbel.ts";
import { gumbelLaw } from "./ways/gumbel_law.ts";
import { hiddenNoiseWay } from "./ways/hidden_noise.ts";
import { hiddenNoiseLaw, type Law, logitNoiseLaw, multiplexLaw, neighboursLaw } from "./ways/laws.ts";
import { logitNoiseWay } from "./ways/logit_noise.ts";
import { multiplexWay } from "./ways/multiplex.ts";
import { neighboursWay } from "./ways/neighbours.ts";
import { covariancePairLaw, dirichletPairLaw, gumbelPairLaw } from "./ways/pair_laws.ts";
import type { Way } from "./ways/way.ts";

const GUMBEL = { tau: 1, width: 2, gumbelTau: 0.5 };
const DIRICHLET = { tau: 1, width: 2, alpha: 2 };
const COVARIANCE = { tau: 1, width: 2, eta: 1 };
const NEIGHBOURS = { tau: 1, rho: 0.5, weighting: "uniform" } as const;
const LOGITS = { tau: 1.5, scale: 0.4, follows: "own" } as const;
const HIDDEN = { tau: 1, scale: 0.6, follows: "own" } as const;
const PAIR = makePairToy();
const logitsLaw = (nodes: number | number[]) => logitNoiseLaw(LOGITS, PAIR.config.vocabSize, nodes);
const hiddenLaw = (nodes: number | number[]) =>
  hiddenNoiseLaw(HIDDEN, PAIR.config.hiddenSize, nodes, betweenFirstTwo(PAIR));

testToy(makeToy("hard"), multiplexWay({ tau: 1, width: 2 }), multiplexLaw({ tau: 1, width: 2 }));
testToy(PAIR, gumbelWay(GUMBEL), gumbelPairLaw(GUMBEL));
testToy(PAIR, dirichletWay(DIRICHLET), dirichletPairLaw(DIRICHLET, 8));
testToy(PAIR, covarianceWay(COVARIANCE), covariancePairLaw(COVARIANCE, 20));
testToy(PAIR, neighboursWay(NEIGHBOURS), neighboursLaw(NEIGHBOURS, PAIR.weights.get(EMBEDDING)));
testToy(PAIR, logitNoiseWay(LOGITS), logitsLaw([8, 4, 3, 3]), { coarse: logitsLaw(2) });
testToy(PAIR, hiddenNoiseWay(HIDDEN), hiddenLaw([8, 3, 3, 3]), { coarse: hiddenLaw(2), from: "hidden" });

/** @param coarse stands for the law where many values of it are taken: its gradient follows from it, whatever it is */
function testToy<Action>(
  toy: ToyProblem,
  way: Way<Action>,
  law: Law,
  { coarse = law, from }: { coarse?: Law; from?: From } = {},
) {
  Deno.test(`${way.name}: the toy's gradient follows central differences of its expected reward`, () => {
    const { gradients, expectedReward } = exactWayGradient(toy, coarse, from);
    assertAlmostEquals(expectedReward, expectedRewardOfWay(toy, coarse, from), 1e-12);
    for (const [key, w] of toy.weights) {
      const entries = [0, Math.floor(w.length / 3), Math.floor(2 * w.length / 3)];
      const numeric = finiteDifference(() => expectedRewardOfWay(toy, coarse, from), w, 1e-5, entries);
      const error = normalisedMse(entries.map((i) => gradients.get(key)![i]), numeric);
      assert(error < 1e-8, `${key}: normalised squared error ${error}`);
    }
  });

  Deno.test(`${way.name}: the mean of many policy gradients is the exact one, and without any term it is not`, () => {
    const exact = exactWayGradient(toy, law, from);
    const stream = randomStream(1);
    const estimates = Array.from({ length: 60 }, () => estimateWay(toy, way, 128, stream));
    const { worst, coordinates, power } = judgeEstimates(estimates, exact);
    assert(coordinates > 180, `${coordinates} coordinates`);
    assert(worst < 4.5, `worst deviation ${worst} standard errors`);
    for (const [key, found] of power) assert(found > 20, `${key}: only ${found} standard errors`);
    for (const part of ["answer", "logits", "mixture"] as const) {
      const without = estimates.map((estimate) => sumOf(estimate, exact.parts[part]));
      assert(judgeEstimates(without, exact).worst > 10, `${part} is not missed`);
    }
  });
}

Deno.test("the laws of pairs are summed finely enough, and no third token comes among the two likeliest", () => {
  const laws: [string, Law, Law, number][] = [
    ["gumbel", gumbelPairLaw(GUMBEL), gumbelPairLaw(GUMBEL, 0.2), 1e-5],
    ["gumbel by its lattice of two", gumbelLaw(GUMBEL), gumbelPairLaw(GUMBEL), 5e-3],
    ["dirichlet", dirichletPairLaw(DIRICHLET, 8), dirichletPairLaw(DIRICHLET, 12), 1e-5],
    ...[0.3, 1, 2].map((eta): [string, Law, Law, number] => {
      const law = (nodes: number) => covariancePairLaw({ tau: 1, eta }, nodes);
      return [`covariance at ${eta}`, law(30), law(40), 1e-3];
    }),
  ];
  for (const [name, law, finer, limit] of laws) {
    assert(marginOfPair(PAIR, law) > 0.5, `${name}: margin ${marginOfPair(PAIR, law)}`);
    const [found, wanted] = [law, finer].map((one) => flat(exactWayGradient(PAIR, one).gradients));
    const error = Math.sqrt(normalisedMse(found, wanted));
    assert(error <= limit, `${name}: off by ${error} of the gradient's norm`);
  }
  const boxes: [string, Law, Law, From][] = [
    ["noise on logits", logitsLaw([8, 4, 3, 3]), logitsLaw([12, 4, 4, 3]), "logits"],
    ["noise on hidden rows", hiddenLaw([8, 3, 3, 3]), hiddenLaw([12, 3, 3, 4]), "hidden"],
  ];
  for (const [name, law, finer, from] of boxes) {
    const [found, wanted] = [law, finer].map((one) => flat(exactWayGradient(PAIR, one, from).gradients));
    const error = Math.sqrt(normalisedMse(found, wanted));
    assert(error <= 2e-3, `${name}: off by ${error} of the gradient's norm`);
  }
});

const sumOf = (a: Weights, b: Weights): Weights =>
  new Map([...a].map(([name, values]) => [name, values.map((x, i) => x + b.get(name)![i])]));

const flat = (weights: Weights) => [...weights.values()].flatMap((values) => [...values]);
