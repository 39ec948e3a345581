/** What a step of thinking is made from: the row that predicts it, and the weights it may use. */
export interface StepInput {
  /** z [V]. */
  logits: Float64Array;
  /** E [V, d]. */
  table: Float64Array;
  /** y [m], the final hidden state, with z = W y: only noise on the hidden state reads it. */
  hidden: Float64Array;
  /** W [V, m]. */
  head: Float64Array;
}

/** A gradient by the parts of a step's input; what is absent is 0. */
export type Gradients = Partial<Record<keyof StepInput, Float64Array>>;

/** The random numbers of one step, drawn by the caller: a way reads them in the order its own comment gives. */
export interface Draws {
  /** Strictly between 0 and 1. */
  uniforms: ArrayLike<number>;
  /** Standard normals. */
  normals: ArrayLike<number>;
}

/**
 * A way of taking a thinking step, in plain f64. The policy gradient of a step is A times `score`, and what later steps
 * send back to the row goes through `rowBackward`. That is the gradient of the expected reward if `score` is the gradient
 * of `logProbability` and the row is a function of the action and of trained weights whose part `rowBackward` gives: then
 * the kind is "score function". Else something is dropped, and it is a "surrogate".
 */
export interface Way<Action> {
  name: string;
  kind: "score function" | "surrogate";
  /** How many numbers a step draws. */
  draws(input: StepInput): { uniforms: number; normals: number };
  /** The action, and the token that stands for it in the text: it decides when thinking ends. */
  act(input: StepInput, draws: Draws): { action: Action; shadow: number };
  /** The row [d] that the next step reads. */
  row(input: StepInput, action: Action): Float64Array;
  /** ln pi(action), less what depends on neither input nor action. Absent where the score belongs to no density. */
  logProbability?(input: StepInput, action: Action): number;
  /** What the trainer takes for d ln pi. */
  score(input: StepInput, action: Action): Gradients;
  /** The gradient that reaches the weights through the row, for the row's own, dRow [d]. */
  rowBackward(input: StepInput, action: Action, dRow: Float64Array): Gradients;
}

/** Tokens and how much of the next row each of them is. */
export interface Mixture {
  /** [n]. */
  tokens: number[];
  /** [n]. */
  weights: Float64Array;
}

/** The whole step: acts and makes the row. */
export function takeStep<Action>(way: Way<Action>, input: StepInput, draws: Draws) {
  const { action, shadow } = way.act(input, draws);
  return { row: way.row(input, action), action, shadow };
}

/** p(tau) [n] of logits [n]. */
export function probabilitiesOf(logits: Float64Array, tau: number): Float64Array {
  const largest = logits[largestOf(logits)];
  const p = new Float64Array(logits.length);
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += p[i] = Math.exp((logits[i] - largest) / tau);
  for (let i = 0; i < p.length; i++) p[i] /= sum;
  return p;
}

/** ln p(tau) [n] of logits [n]. */
export function logProbabilitiesOf(logits: Float64Array, tau: number): Float64Array {
  const largest = logits[largestOf(logits)];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] - largest) / tau);
  return logits.map((z) => (z - largest) / tau - Math.log(sum));
}

/** The n largest logits' ids, the largest first; the lower id of two that are equal. */
export function topTokens(logits: Float64Array, n: number): number[] {
  return Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b).slice(0, n);
}

/** values[tokens]. */
export function pick(values: Float64Array, tokens: number[]): Float64Array {
  const out = new Float64Array(tokens.length);
  for (let i = 0; i < out.length; i++) out[i] = values[tokens[i]];
  return out;
}

/** [length] with values at tokens, 0 elsewhere; a token that stands twice gets the sum. */
export function scatter(values: ArrayLike<number>, tokens: number[], length: number): Float64Array {
  const out = new Float64Array(length);
  tokens.forEach((token, i) => out[token] += values[i]);
  return out;
}

/** sum_i weights[i] E[tokens[i]], [d]. */
export function mixRows({ tokens, weights }: Mixture, { table, logits }: StepInput): Float64Array {
  const d = table.length / logits.length;
  const row = new Float64Array(d);
  tokens.forEach((token, i) => {
    for (let j = 0; j < d; j++) row[j] += weights[i] * table[token * d + j];
  });
  return row;
}

/** The gradient of `mixRows` for E [V, d]. */
export function mixRowsBackward(
  { tokens, weights }: Mixture,
  { table }: StepInput,
  dRow: Float64Array,
): Float64Array {
  const d = dRow.length;
  const out = new Float64Array(table.length);
  tokens.forEach((token, i) => {
    for (let j = 0; j < d; j++) out[token * d + j] += weights[i] * dRow[j];
  });
  return out;
}

/** dz [n] for s = d ln pi / d ln p: (s - p sum s) / tau. */
export function throughLogSoftmax(s: Float64Array, p: Float64Array, tau: number): Float64Array {
  const total = sumOf(s);
  const dz = new Float64Array(s.length);
  for (let i = 0; i < dz.length; i++) dz[i] = (s[i] - p[i] * total) / tau;
  return dz;
}

/** The index of the largest value; the lowest of equals. */
export function largestOf(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** The sum of the values, the first first. */
export function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}
