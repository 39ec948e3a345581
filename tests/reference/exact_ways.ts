/**
 * The exact gradient of a toy's expected reward under a way that mixes a few tokens, from the law of its rows: sums over the points of both
 * steps, and the gradient along these points, whose weights and mixtures move with the logits. It shares no score with the estimators.
 */
import { answerValues, type ExactGradient, type GradientParts, sumOfParts, toyForward } from "./exact_toy.ts";
import { matmulNN, matmulNT, matmulTN } from "./matmul.ts";
import { addInto, dot, finiteDifference } from "./support.ts";
import type { ToyProblem } from "./toy.ts";
import { EMBEDDING, headMatrix, type Weights } from "./transformer.ts";
import type { Law } from "./ways/laws.ts";
import type { StepInput } from "./ways/way.ts";

/** What a law's rows follow from: logits, as with most; or the hidden rows that they are made from, and the head. */
export type From = "logits" | "hidden";

/** The expected reward alone (divided by 100). */
export function expectedRewardOfWay(toy: ToyProblem, law: Law, from: From = "logits"): number {
  return sumOverPoints(toy, law, from);
}

/**
 * Expected reward and exact gradient. Of the parts, "mixture" is what later steps and the answer send into E through the rows w E, w as it
 * was drawn, and into the head where w follows from the hidden rows.
 */
export function exactWayGradient(toy: ToyProblem, law: Law, from: From = "logits"): ExactGradient {
  return sumOfParts(toy.config, (parts) => sumOverPoints(toy, law, from, parts));
}

/** The least by which the two favoured tokens' logits stand above all others, over what both steps are made from; below 0 a set of two jumps. */
export function marginOfPair(toy: ToyProblem, law: Law): number {
  const { vocabSize } = toy.config;
  const made = toyForward(toy, NONE, [], 1);
  const first = made.logits;
  const { rows, weights } = pointsOf(toy, law, made, "logits");
  const second = toyForward(toy, rows, [], weights.length).logits;
  const margins = [first, second].flatMap((logits) =>
    Array.from({ length: logits.length / vocabSize }, (_, n) => {
      const [a, b, ...others] = logits.subarray(n * vocabSize, (n + 1) * vocabSize);
      return Math.min(a, b) - Math.max(...others);
    })
  );
  return Math.min(...margins);
}

const NONE = new Float64Array(0);

function sumOverPoints(toy: ToyProblem, law: Law, from: From, parts?: GradientParts): number {
  const { vocabSize, hiddenSize: d } = toy.config;
  const first = toyForward(toy, NONE, [], 1);
  const one = pointsOf(toy, law, first, from);
  const count = one.weights.length;
  const second = toyForward(toy, one.rows, [], count);
  const values = new Float64Array(count);
  const dRows1 = new Float64Array(count * d);
  const width = from === "logits" ? vocabSize : d;
  const dMade2 = new Float64Array(count * width);
  for (let n = 0; n < count; n++) {
    const made = {
      logits: second.logits.subarray(n * vocabSize, (n + 1) * vocabSize),
      hidden: second.hidden.subarray(n * d, (n + 1) * d),
    };
    const two = pointsOf(toy, law, made, from);
    const both = sideBySide(one.rows.subarray(n * d, (n + 1) * d), two.rows);
    const last = toyForward(toy, both, [], two.weights.length);
    const ends = answerValues(toy, last.logits, two.weights.length);
    values[n] = dot(two.weights, ends.values);
    if (!parts) continue;
    const dBoth = last.backward(ends.backward(two.weights.map((w) => w * one.weights[n])), parts.answer);
    const dRows2 = dBoth.filter((_, i) => i % (2 * d) >= d);
    dBoth.forEach((x, i) => dRows1[n * d + i % d] += i % (2 * d) < d ? x : 0);
    const dWeights2 = ends.values.map((value) => value * one.weights[n]);
    dMade2.set(two.backward(dWeights2, dRows2, parts.mixture), n * width);
  }
  if (parts) {
    addInto(dRows1, second.backward(dMade2, parts.logits, from));
    first.backward(one.backward(values, dRows1, parts.mixture), parts.logits, from);
  }
  return dot(one.weights, values);
}

/**
 * The points of a step's law: their weights [n] and rows [n, d]. `backward` adds E's gradient in row = w E for given weights w over the
 * vocabulary (and the head's, where these are made with it), and returns that of the logits or hidden row, by which these and the points'
 * weights move: of the law alone, by central differences.
 */
function pointsOf(
  { config, weights: parameters }: ToyProblem,
  law: Law,
  made: Pick<StepInput, "logits" | "hidden">,
  from: From,
) {
  const { vocabSize, hiddenSize: d } = config;
  const table = parameters.get(EMBEDDING)!;
  // Rows of the identity instead of E are the mixtures themselves.
  const identity = Float64Array.from(
    { length: vocabSize ** 2 },
    (_, i) => i % (vocabSize + 1) === 0 ? 1 : 0,
  );
  const input = { ...made, table: identity, head: headMatrix(config, parameters) };
  const { weights, rows: mixtures } = law(input);
  const count = weights.length;
  const backward = (dWeights: Float64Array, dRows: Float64Array, gradients: Weights): Float64Array => {
    addInto(gradients.get(EMBEDDING)!, matmulTN(mixtures, dRows, vocabSize, count, d));
    const dMixtures = matmulNT(dRows, table, count, d, vocabSize);
    const along = (part: "logits" | "hidden" | "head") => {
      const moving = input[part].slice();
      const value = () => {
        const moved = law({ ...input, [part]: moving });
        return dot(moved.weights, dWeights) + dot(moved.rows, dMixtures);
      };
      return finiteDifference(value, moving, 1e-4);
    };
    if (from === "hidden") addInto(headMatrix(config, gradients), along("head"));
    return along(from);
  };
  return {
    weights: Float64Array.from(weights),
    rows: matmulNN(mixtures, table, count, vocabSize, d),
    backward,
  };
}

/** [n, 2, d] of one first row [d] and second rows [n, d]. */
function sideBySide(first: Float64Array, seconds: Float64Array): Float64Array {
  const d = first.length;
  const both = new Float64Array(2 * seconds.length);
  for (let i = 0; i < seconds.length; i++) {
    const to = Math.floor(i / d) * 2 * d + i % d;
    both[to] = first[i % d];
    both[to + d] = seconds[i];
  }
  return both;
}
