/**
 * The policy gradient of each way of thinking against the numeric gradient of the expected reward, on a toy of two steps: what
 * calls itself a score function has that mean, what calls itself a surrogate visibly has another.
 */
import { assert, assertEquals } from "@std/assert";
import { type CovarianceOptions, covarianceWay } from "./covariance.ts";
import { dirichletWay } from "./dirichlet.ts";
import { gaussianWay } from "./gaussian.ts";
import { type GumbelOptions, gumbelWay } from "./gumbel.ts";
import { gumbelLaw } from "./gumbel_law.ts";
import { hardWay } from "./hard.ts";
import { type HiddenNoiseOptions, hiddenNoiseWay } from "./hidden_noise.ts";
import { judge, type Judgement, told } from "./judge.ts";
import {
  covarianceLaw,
  dirichletLaw,
  gaussianLaw,
  hiddenNoiseLaw,
  type Law,
  logitNoiseLaw,
  multiplexLaw,
  neighboursLaw,
} from "./laws.ts";
import { type LogitNoiseOptions, logitNoiseWay } from "./logit_noise.ts";
import { type MultiplexOptions, multiplexWay } from "./multiplex.ts";
import { type NeighboursOptions, neighboursWay } from "./neighbours.ts";
import { firstInput, makeTwoStepToy, secondInput, type TwoStepToy } from "./two_step_toy.ts";
import { topTokens, type Way } from "./way.ts";

const SAMPLES = 30000;

/** How each way is judged, by its name: once, whichever test asks first. */
const judgements = new Map<string, () => Judgement>();

/** One test: the toy whose first `favoured` tokens stay on top (0: any), the way, and the law of its rows. */
function judgeWay<Action>(favoured: number, way: Way<Action>, law: Law, favour?: number) {
  let judgement: Judgement | undefined;
  judgements.set(way.name, () => {
    if (judgement) return judgement;
    const toy = makeTwoStepToy(favoured, favour);
    assertNoJumps(toy, favoured, law);
    return judgement = judge(toy, way, law, SAMPLES);
  });
  const verb = way.kind === "surrogate" ? "is not quite" : "is";
  Deno.test(`${way.name}: the mean of its policy gradients ${verb} that of the expected reward`, () => {
    const found = judgements.get(way.name)!();
    const line = told(way, found);
    console.log(line);
    assert(found.standardError < 0.03, line);
    assertEquals(found.worst > 4, way.kind === "surrogate", line);
  });
}

/** The favoured tokens are the top ones at the first step and wherever it may lead. */
function assertNoJumps(toy: TwoStepToy, favoured: number, law: Law) {
  const input = firstInput(toy);
  const { rows, weights } = law(input);
  const inputs = Array.from(weights, (_, n) => secondInput(toy, rows.subarray(n * toy.d, (n + 1) * toy.d)));
  for (const { logits } of [input, ...inputs]) {
    const top = topTokens(logits, favoured).sort();
    assertEquals(top, top.map((_, i) => i), `logits ${logits}`);
  }
}

judgeWay(0, hardWay(1), multiplexLaw({ tau: 1, width: 1 }));

for (const weighting of ["uniform", "probability"] as const) {
  const options: MultiplexOptions = { tau: 1, width: 3, weighting };
  judgeWay(0, multiplexWay(options), multiplexLaw(options));
}

judgeWay(0, gaussianWay("soft", 0.5, 0.5), gaussianLaw(0.5, 0.5, 9));

const GUMBELS: GumbelOptions[] = [
  { tau: 1, width: 2 },
  { tau: 1, width: 2, form: "plain" },
  { tau: 1, width: 2, form: "published" },
  { tau: 1, width: 3, gumbelTau: 0.5 },
  { tau: 1, width: 3, gumbelTau: 0.5, form: "plain" },
];
for (const options of GUMBELS) judgeWay(options.width!, gumbelWay(options), gumbelLaw(options));

judgeWay(3, dirichletWay({ tau: 1, width: 3, alpha: 6 }), dirichletLaw({ tau: 1, alpha: 6 }, 6));

const COVARIANCES: CovarianceOptions[] = [
  { tau: 1, eta: 0.3 },
  { tau: 1, eta: 1 },
  { tau: 1, eta: 1, score: "mean" },
];
for (const options of COVARIANCES) judgeWay(0, covarianceWay(options), covarianceLaw(options, 9));

for (const weighting of ["uniform", "probability"] as const) {
  const options: NeighboursOptions = { tau: 1, rho: 0.5, weighting };
  judgeWay(1, neighboursWay(options), neighboursLaw(options));
}

const LOGIT_NOISES: [number, number, LogitNoiseOptions][] = [
  [0, 4, { tau: 1, scale: 0.7 }],
  [0, 4, { tau: 1, scale: 0.7, differences: true }],
  [0, 4, { tau: 1, scale: 0.7, follows: "own" }],
  [0, 4, { tau: 1, scale: 0.7, follows: "published" }],
  [3, 8, { tau: 1, scale: 0.7, width: 3 }],
  [3, 8, { tau: 1, scale: 0.7, width: 3, differences: true }],
];
for (const [favoured, nodes, options] of LOGIT_NOISES) {
  judgeWay(favoured, logitNoiseWay(options), logitNoiseLaw(options, 5, nodes));
}
const KEPT: LogitNoiseOptions = { tau: 1, scale: 0.7, width: 3, others: "kept" };
judgeWay(3, logitNoiseWay(KEPT), logitNoiseLaw(KEPT, 5, 5), 0.3);

for (const follows of ["constant", "own", "published"] as const) {
  const options: HiddenNoiseOptions = { tau: 1, scale: 0.5, follows };
  judgeWay(0, hiddenNoiseWay(options), hiddenNoiseLaw(options, 3, 6));
}

Deno.test("the density of w varies less than that of g, and of differences less than of all noise", () => {
  const pairs = [
    [gumbelWay({ tau: 1, width: 2 }), gumbelWay({ tau: 1, width: 2, form: "plain" })],
    [
      gumbelWay({ tau: 1, width: 3, gumbelTau: 0.5 }),
      gumbelWay({ tau: 1, width: 3, gumbelTau: 0.5, form: "plain" }),
    ],
    [
      logitNoiseWay({ tau: 1, scale: 0.7, width: 3, differences: true }),
      logitNoiseWay({ tau: 1, scale: 0.7, width: 3 }),
    ],
  ];
  for (const [less, more] of pairs.map((pair) => pair.map(({ name }) => name))) {
    const ratio = (judgements.get(less)!().spread / judgements.get(more)!().spread) ** 2;
    console.log(`variance of ${less}: ${ratio.toFixed(2)} of that of ${more}`);
    assert(ratio < 0.8, `${less}: ${ratio}`);
  }
});
