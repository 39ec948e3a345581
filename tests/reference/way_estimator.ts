/** The policy gradient of a way of thinking on the transformer toy, in f64: its rollouts for given draws, and the gradient of their loss. */
import { crossEntropyBackward } from "./cross_entropy.ts";
import { toyForward, toyLogits } from "./exact_toy.ts";
import { sampleInverseCdf } from "./sampling.ts";
import { softmax } from "./softmax.ts";
import { addInto } from "./support.ts";
import type { ToyProblem } from "./toy.ts";
import { EMBEDDING, type Weights, zeroGradients } from "./transformer.ts";
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
  const thoughts: WayThoughts<Action> = {
    inputs: [],
    actions: [],
    shadows: [],
    rows: new Float64Array(group * toy.steps * d),
  };
  for (let t = 0; t < toy.steps; t++) {
    const logits = toyLogits(toy, beginnings(thoughts.rows, group, t, d), group);
    const none = new Float64Array(0);
    const inputs = Array.from({ length: group }, (_, r): StepInput => {
      const ofRollout = logits.subarray(r * vocabSize, (r + 1) * vocabSize);
      return { logits: ofRollout, table, hidden: none, head: none };
    });
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
  /** Takes dLogits [group, V] after t steps back to the weights and to these steps' rows. */
  const takeBack = (t: number, dLogits: (logits: Float64Array) => Float64Array) => {
    const { logits, backward } = toyForward(toy, beginnings(rows, group, t, d), [], group);
    const dThoughts = backward(dLogits(logits), gradients);
    dThoughts.forEach((x, i) => dRows[Math.floor(i / (t * d)) * toy.steps * d + i % (t * d)] += x);
  };
  actions.forEach((ofStep, t) => {
    const dLogits = new Float64Array(group * vocabSize);
    ofStep.forEach((action, r) => {
      const score = way.score(inputs[t][r], action).logits!;
      dLogits.set(score.map((s) => coefficients[r] * s), r * vocabSize);
    });
    takeBack(t, () => dLogits);
  });
  const losses = coefficients.map((c) => -c);
  takeBack(toy.steps, (logits) => crossEntropyBackward(logits, answers, losses, vocabSize));
  actions.forEach((ofStep, t) =>
    ofStep.forEach((action, r) => {
      const at = (r * toy.steps + t) * d;
      const { table } = way.rowBackward(inputs[t][r], action, dRows.subarray(at, at + d));
      addInto(gradients.get(EMBEDDING)!, table!);
    })
  );
  return gradients;
}

/** The first t rows of each rollout: [group, t, d] of rows [group, steps, d]. */
function beginnings(rows: Float64Array, group: number, t: number, d: number): Float64Array {
  const width = rows.length / group;
  return rows.filter((_, i) => i % width < t * d);
}
