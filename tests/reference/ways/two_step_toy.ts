/**
 * The toy on which ways of thinking are judged: two steps of fixed length, a recurrent map from the fed rows to the next
 * logits, and a reward that is a smooth function of both rows, as an answer's expected reward is.
 *
 *     y_1 = first,  y_2 = offset + tanh(A x_1),  z_t = W y_t,  x_t ~ the way,  R = v . tanh(B x_2 + C y_2)
 *
 * first, offset, W and E train. So each term of the gradient is there: a step's logits at fixed and at moving states, the
 * embedding through rows that later steps and the reward read, the head, and the reward's own path past the second step.
 */
import { matmulNN, matmulNT, matmulTN } from "../matmul.ts";
import { addInto, dot, finiteDifference, randomArray } from "../support.ts";
import type { Law } from "./laws.ts";
import { type Draws, type Gradients, type StepInput, takeStep, type Way } from "./way.ts";

/** The weights that train. */
export interface ToyWeights {
  /** [m]. */
  first: Float64Array;
  /** [m]. */
  offset: Float64Array;
  /** W [V, m]. */
  head: Float64Array;
  /** E [V, d]. */
  table: Float64Array;
}

/** A toy: its sizes, the weights that train and those that do not. */
export interface TwoStepToy {
  vocabSize: number;
  d: number;
  /** m. */
  width: number;
  weights: ToyWeights;
  /** A [m, d]. */
  fromFirst: Float64Array;
  /** B [m, d]. */
  fromSecond: Float64Array;
  /** C [m, m]. */
  carry: Float64Array;
  /** v [m]. */
  value: Float64Array;
}

/**
 * Makes a toy of 5 tokens, d 2 and m 3. The first `favoured` tokens have larger logits than the others wherever rows may lead,
 * so that a top-k set (or, with one, the most probable token) never jumps; the larger the favour, the farther.
 */
export function makeTwoStepToy(favoured = 0, favour = 0.7): TwoStepToy {
  const [vocabSize, d, width] = [5, 2, 3];
  // Of some seeds one whose quadratures converge soon and whose surrogates are visibly biased.
  const random = (n: number, length: number, scale: number) => randomArray(6000 + n, length, scale);
  const head = random(3, vocabSize * width, favoured > 0 ? 0.25 : 0.6);
  if (favoured > 0) {
    for (let i = 0; i < head.length; i++) head[i] += i < favoured * width ? favour : -favour;
  }
  return {
    vocabSize,
    d,
    width,
    weights: {
      first: random(1, width, 0.3).map((x) => 1 + x),
      offset: random(2, width, 0.3).map((x) => 1 + x),
      head,
      table: random(4, vocabSize * d, 2),
    },
    fromFirst: random(5, width * d, 0.5),
    fromSecond: random(6, width * d, 0.5),
    carry: random(7, width * width, 0.2),
    value: random(8, width, 1),
  };
}

/** What the first step is made from. */
export function firstInput({ weights, width, vocabSize }: TwoStepToy): StepInput {
  const { first: hidden, head, table } = weights;
  return { hidden, head, table, logits: matmulNT(hidden, head, 1, width, vocabSize) };
}

/** What the second step is made from, after the first row [d]. */
export function secondInput(toy: TwoStepToy, row: Float64Array): StepInput {
  const { weights: { offset, head, table }, width, d, vocabSize } = toy;
  const hidden = matmulNT(row, toy.fromFirst, 1, d, width).map((x, i) => offset[i] + Math.tanh(x));
  return { hidden, head, table, logits: matmulNT(hidden, head, 1, width, vocabSize) };
}

/** tanh(B x_2 + C y_2) [m]; the reward is v . that. */
function lastState(toy: TwoStepToy, carried: Float64Array, row: Float64Array): Float64Array {
  return matmulNT(row, toy.fromSecond, 1, toy.d, toy.width).map((x, i) => Math.tanh(x + carried[i]));
}

const carriedBy = (toy: TwoStepToy, hidden: Float64Array) =>
  matmulNT(hidden, toy.carry, 1, toy.width, toy.width);

/** The expected reward under a way whose rows have this law, a sum over its points in both steps. */
export function expectedReward(toy: TwoStepToy, law: Law): number {
  const { d } = toy;
  const first = law(firstInput(toy));
  let total = 0;
  for (let n = 0; n < first.weights.length; n++) {
    const input = secondInput(toy, first.rows.subarray(n * d, (n + 1) * d));
    const carried = carriedBy(toy, input.hidden);
    const second = law(input);
    let value = 0;
    for (let k = 0; k < second.weights.length; k++) {
      value += second.weights[k] * rewardAt(toy, carried, second.rows, k * d);
    }
    total += first.weights[n] * value;
  }
  return total;
}

/** v . tanh(B x + carried) for the row x at `rows[from ...]`: `lastState` without arrays. */
function rewardAt(toy: TwoStepToy, carried: Float64Array, rows: Float64Array, from: number): number {
  const { d, width, fromSecond, value } = toy;
  let reward = 0;
  for (let i = 0; i < width; i++) {
    let x = carried[i];
    for (let j = 0; j < d; j++) x += fromSecond[i * d + j] * rows[from + j];
    reward += value[i] * Math.tanh(x);
  }
  return reward;
}

/** The gradient of the expected reward by central differences, flat in the order first, offset, head, table. */
export function numericGradient(toy: TwoStepToy, law: Law): Float64Array {
  const { first, offset, head, table } = toy.weights;
  const parts = [first, offset, head, table].map((w) =>
    finiteDifference(() => expectedReward(toy, law), w, 1e-4)
  );
  return Float64Array.from(parts.flatMap((part) => [...part]));
}

/** One rollout: its reward, and the policy gradient estimated from it, flat in the order of `numericGradient`. */
export function estimate<Action>(
  toy: TwoStepToy,
  way: Way<Action>,
  [draws1, draws2]: [Draws, Draws],
  baseline: number,
): { reward: number; gradient: Float64Array } {
  const { d, width, vocabSize, value } = toy;
  const input1 = firstInput(toy);
  const step1 = takeStep(way, input1, draws1);
  const input2 = secondInput(toy, step1.row);
  const step2 = takeStep(way, input2, draws2);
  const last = lastState(toy, carriedBy(toy, input2.hidden), step2.row);
  const reward = dot(value, last);

  const gradient = new Float64Array(width + width + vocabSize * width + vocabSize * d);
  const dHead = gradient.subarray(2 * width, 2 * width + vocabSize * width);
  const dTable = gradient.subarray(2 * width + vocabSize * width);
  /** Adds what a step's gradients say about weights, and returns the gradient of its state. */
  const take = ({ hidden }: StepInput, gradients: Gradients, factor: number): Float64Array => {
    const dHidden = new Float64Array(width);
    const add = (to: Float64Array, from: Float64Array) => {
      for (let i = 0; i < from.length; i++) to[i] += factor * from[i];
    };
    if (gradients.head) add(dHead, gradients.head);
    if (gradients.table) add(dTable, gradients.table);
    if (gradients.hidden) add(dHidden, gradients.hidden);
    if (gradients.logits) {
      add(dHead, matmulTN(gradients.logits, hidden, vocabSize, 1, width));
      add(dHidden, matmulNN(gradients.logits, toy.weights.head, 1, vocabSize, width));
    }
    return dHidden;
  };
  const advantage = reward - baseline;
  const dLast = last.map((x, i) => value[i] * (1 - x * x));
  const dRow2 = matmulNN(dLast, toy.fromSecond, 1, width, d);
  const dHidden2 = matmulNN(dLast, toy.carry, 1, width, width);
  addInto(dHidden2, take(input2, way.rowBackward(input2, step2.action, dRow2), 1));
  addInto(dHidden2, take(input2, way.score(input2, step2.action), advantage));
  const inner = dHidden2.map((x, i) => x * (1 - (input2.hidden[i] - toy.weights.offset[i]) ** 2));
  const dRow1 = matmulNN(inner, toy.fromFirst, 1, width, d);
  const dHidden1 = take(input1, way.rowBackward(input1, step1.action, dRow1), 1);
  addInto(dHidden1, take(input1, way.score(input1, step1.action), advantage));
  gradient.set(dHidden1);
  gradient.set(dHidden2, width);
  return { reward, gradient };
}
