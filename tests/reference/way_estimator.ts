/** The policy gradient of a way of thinking on the transformer toy, in f64: its rollouts for given draws, and the gradient of their loss. */
import { crossEntropyBackward } from "./cross_entropy.ts";
import { toyForward, toyLogits } from "./exact_toy.ts";
import { sampleInverseCdf } from "./sampling.ts";
import { softmax } from "./softmax.ts";
import { addInto } from "./support.ts";
import type { ToyProblem } from "./toy.ts";
import { EMBEDDING, headMatrix, type Weights, zeroGradients } from "./transformer.ts";
import { rloo } from "./ways/advantages.ts";
import { drawing } from "./ways/judge.ts";
import type { Draws, StepInput, Way } from "./ways/way.ts";

/** The thinking of a batch. */
export interface WayThoughts<Action> {
  /** What each step was made from, [steps][group]. */
  inputs: StepInput[][];
  /** [steps][group]. */
  actions: Action[][];
  /** Tokens that stand for the steps, [steps][group]. */
  shadows: number[][];
  /** [group, steps, d]: the rows that were fed. */
  rows: Float64Array;
}

/** Thinks in `group` rollouts, by the draws of each step. */
export function thinkInWay<Action>(
  toy: ToyProblem,
  way: Way<Action>,
  group: number,
  drawsOf: (rollout: number, step: number, input: StepInput) => Draws,
): WayThoughts<Action> {
  const { vocabSize, hiddenSize: d } = toy.config;
  const table = toy.weights.get(EMBEDDING)!;
  const head = headMatrix(toy.config, toy.weights);
  const thoughts: WayThoughts<Action> = {
    inputs: [],
    actions: [],
    shadows: [],
    rows: new Float64Array(group * toy.steps * d),
  };
  for (let t = 0; t < toy.steps; t++) {
    const { logits, hidden } = toyForward(toy, beginnings(thoughts.rows, group, t, d), [], group);
    const inputs = Array.from({ length: group }, (_, r): StepInput => ({
      logits: logits.subarray(r * vocabSize, (r + 1) * vocabSize),
      hidden: hidden.subarray(r * d, (r + 1) * d),
      ...{ table, head },
    }));
    const taken = inputs.map((input, r) => way.act(input, drawsOf(r, t, input)));
    taken.forEach(({ action }, r) => thoughts.rows.set(way.row(inputs[r], action), (r * toy.steps + t) * d));
    thoughts.inputs.push(inputs);
    thoughts.actions.push(taken.map(({ action }) => action));
    thoughts.shadows.push(taken.map(({ shadow }) => shadow));
  }
  return thoughts;
}

/** One estimate from fresh rollouts, their draws and answers from a stream of uniform numbers; its mean is minus the exact gradient. */
export function estimateWay<Action>(
  toy: ToyProblem,
  way: Way<Action>,
  group: number,
  stream: () => number,
): Weights {
  const { vocabSize } = toy.config;
  const thoughts = thinkInWay(toy, way, group, (_, __, input) => drawing(way.draws(input), stream)());
  const { probabilities } = softmax(toyLogits(toy, thoughts.rows, group), group, vocabSize);
  const answers = Array.from(
    { length: group },
    (_, r) =>
      sampleInverseCdf(probabilities.subarray(r * vocabSize, (r + 1) * vocabSize), stream(), vocabSize),
  );
  return wayGradient(toy, way, thoughts, answers, rloo(answers.map((a) => toy.rewards[a] / 100)));
}

/** The gradient of -(1 / group) sum of advantage * (ln pi of both steps and of the answer), with what reaches E through the rows. */
export function wayGradient<Action>(
  toy: ToyProblem,
  way: Way<Action>,
  { inputs, actions, rows }: WayThoughts<Action>,
  answers: number[],
  advantages: number[],
): Weights {
  const { vocabSize, hiddenSize: d } = toy.config;
  const group = answers.length;
  const gradients = zeroGradients(toy.config);
  const coefficients = advantages.map((a) => -a / group);
  const dRows = new Float64Array(rows.length);
  /** Takes the gradient of logits [group, V], or hidden rows [group, d], after t steps back to the weights and to these steps' rows. */
  const takeBack = (
    t: number,
    dMade: (logits: Float64Array) => Float64Array,
    of: "logits" | "hidden" = "logits",
  ) => {
    const { logits, backward } = toyForward(toy, beginnings(rows, group, t, d), [], group);
    const dThoughts = backward(dMade(logits), gradients, of);
    dThoughts.forEach((x, i) => dRows[Math.floor(i / (t * d)) * toy.steps * d + i % (t * d)] += x);
  };
  actions.forEach((ofStep, t) => {
    const scores = ofStep.map((action, r) => way.score(inputs[t][r], action));
    const of = scores.some(({ hidden }) => hidden) ? "hidden" : "logits";
    const width = of === "hidden" ? d : vocabSize;
    const dMade = new Float64Array(group * width);
    // A step may carry no action.
    scores.forEach((score, r) => dMade.set((score[of] ?? []).map((s) => coefficients[r] * s), r * width));
    takeBack(t, () => dMade, of);
  });
  const losses = coefficients.map((c) => -c);
  takeBack(toy.steps, (logits) => crossEntropyBackward(logits, answers, losses, vocabSize));
  actions.forEach((ofStep, t) =>
    ofStep.forEach((action, r) => {
      const at = (r * toy.steps + t) * d;
      const { table, head } = way.rowBackward(inputs[t][r], action, dRows.subarray(at, at + d));
      addInto(gradients.get(EMBEDDING)!, table!);
      if (head) addInto(headMatrix(toy.config, gradients), head);
    })
  );
  return gradients;
}

/** The first t rows of each rollout: [group, t, d] of rows [group, steps, d]. */
function beginnings(rows: Float64Array, group: number, t: number, d: number): Float64Array {
  const width = rows.length / group;
  return rows.filter((_, i) => i % width < t * d);
}
