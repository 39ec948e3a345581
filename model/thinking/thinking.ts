import type { Scratch } from "../../gpu/arena.ts";
import type { StepRecord } from "../../gpu/ops/choose/choose.ts";
import type { FewTokens } from "../../gpu/ops/few/few_tokens.ts";
import { mixRowsBackward } from "../../gpu/ops/few/mix_rows.ts";
import { noiseMismatch } from "../../gpu/ops/mixture/noise.ts";
import { Domain, type RandomKey } from "../../gpu/random.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { OlderActions } from "./importance.ts";
import type { Gradients } from "../transformer/params.ts";
import type { Model } from "../transformer/transformer.ts";

/** What a step of thinking is given: one row for each rollout that still thinks. */
export interface StepInput {
  /** Whose head and embedding are used. */
  model: Model;
  /** The final-normed rows [rows, d] that the logits were made from. */
  y: Tensor;
  /** Logits [rows, V] that predict the step; may be overwritten. */
  z: Tensor;
  /** u32 [rows, 4]: (row, rollout, _, position), position counted `shift` further. */
  info: Tensor;
  /** Steps since `info` was written. */
  shift: number;
  /** Where token (or shadow) and statistics go. */
  record: StepRecord;
  /** u32 [rows]: the token (or shadow). */
  chosen: Tensor;
  /** [rows, d]: becomes the row that the next step reads. */
  next: Tensor;
  /** [rows, steps, d]: where the row that the next step reads is kept, in column `record.column`; continuous actions only. */
  fed: Tensor;
  /** Of a way that mixes a few tokens: becomes the tokens and weights of the row, where they are wanted. */
  few?: FewTokens;
  /** Seed and optimizer step; the domain is the way's own. */
  seed: number;
  /** The draws' last word: the optimizer step. */
  step: number;
}

/** What the backward of log pi is given: a chunk of thinking actions. */
export interface ScoreInput {
  /** Whose head and embedding are used. */
  model: Model;
  /** The final-normed rows [rows, d] that the logits were made from. */
  y: Tensor;
  /** Logits [rows, V] of the training pass; overwritten. */
  z: Tensor;
  /** For what is returned. */
  scratch: Scratch;
  /** dL/d(log pi) of each action [rows]. */
  weights: Tensor;
  /** Hard: the token of each action, u32 [rows]. */
  tokens: Tensor;
  /** Continuous: the row that was fed [rows, d]. */
  fed: Tensor;
  /** u32 [rows, 4]: (row of `record`, rollout, _, position). */
  info: Tensor;
  /** Of all draws. */
  seed: number;
  /** The draws' last word: the optimizer step. */
  step: number;
  /** Grows by gradients that do not pass the logits, where the embedding trains. */
  grads: Gradients;
  /** [rows]: log pi of the token (hard), or rms of the mixture's deviation in units of sigma (continuous). */
  measured: Tensor;
  /** Where a way that takes its step again may put tokens and statistics: a column of as many rows as `info` names. */
  record: StepRecord;
  /** Of a way that mixes a few tokens: becomes the tokens and weights of the rows that were fed. */
  few?: FewTokens;
  /** Where an older policy took the actions; of ways with `hasRatio` alone. */
  older?: OlderActions;
  /** [rows, 4]: (norm of dL/dz; top-two gap, or ln p of the most probable token where steps are draws; shadow; 0); continuous only. */
  stats: Tensor;
  /** Bound on the norm of dL/dz at one position; 0 for none. */
  clipStep: number;
}

/** What the backward of rows that are functions of their actions is given: a chunk of thinking actions. */
export interface RowInput {
  /** Whose head and embedding are used. */
  model: Model;
  /** dL/d(row) [rows, d] of the rows that the steps fed. */
  dRow: Tensor;
  /** Makes the final-normed rows [rows, d] that the steps were taken from, once more. */
  hidden(scratch: Scratch): Tensor;
  /** Of a way that mixes a few tokens: those of each row, with their weights. */
  few?: FewTokens;
  /** As those of {@link ScoreInput}. */
  info: Tensor;
  /** See there. */
  record: StepRecord;
  /** See there. */
  seed: number;
  /** See there. */
  step: number;
  /** Grows; the embedding trains. */
  grads: Gradients & Required<Pick<Gradients, "embedding">>;
}

/** What tells the size of steps' noise: their places, which key the draws, and where the numbers go. */
export interface NoiseInput extends Pick<StepInput, "model" | "info" | "shift" | "seed" | "step"> {
  /** [rows]: becomes the root mean square of the standard normal numbers of each step's noise. */
  out: Tensor;
}

/** The gradient of the loss for what a step was made from; what is absent is 0. */
export interface StepGradients {
  /** dL/dz [rows, V], which goes through the head. */
  logits?: Tensor;
  /** dL/dy [rows, d] beside that. */
  hidden?: Tensor;
}

/**
 * A way of taking thinking steps: how the next row is made from logits, and what gradient its log-probability has.
 * Rollouts and training call it without knowing which one it is.
 */
export interface Thinking {
  /** As on the command line. */
  name: string;
  /** What it was made from, as plain data: `wayOfThinking` makes the same by it in another process. */
  made?: Readonly<{ way: string; options: object }>;
  /** Softmax temperature of the steps. */
  tau: number;
  /** Its actions are rows of the embedding space, kept in `hidden`; otherwise tokens. */
  continuous: boolean;
  /**
   * The unit in which a deviation of fed rows is told, where they are continuous: of Gaussian actions the standard deviation of the noise
   * on each coordinate, 0 for none.
   */
  sigma: number;
  /** What `step` leaves in z: the weights of a mixture over the vocabulary, or the logits as they were. */
  leaves: "weights" | "logits";
  /** A step's row is a function of drawn tokens alone, and does not tell how probable they were: that is compared beside it. */
  draws?: boolean;
  /** All tokens of a step's mixture were drawn, one apart from another. */
  mixesDraws?: boolean;
  /** Tokens of a step's mixture, where its row is a function of a few rows of E. */
  few?: number;
  /** The ratio of an action's densities under two policies is known from its row or token: it can be learned from when the weights have moved on. */
  hasRatio?: boolean;
  /** Takes one step of generation. */
  step(input: StepInput): void;
  /** Of ways whose noise is Gaussian: tells its size, whatever it was added to. */
  noise?(input: NoiseInput): void;
  /** Returns the gradient for logits or hidden rows; gradients through the embedding go to `grads` here. */
  score(input: ScoreInput): StepGradients;
  /**
   * Of ways whose row is a function of its action, and not the action itself: adds what later steps send into the weights that the row
   * is made with. Called where the embedding trains, after the gradients of all rows are known.
   */
  rowBackward?(input: RowInput): void;
}

/** The backward of rows that mix a few tokens: into the embedding alone. */
export const fewRowsBackward = ({ model: { gpu }, few, dRow, grads }: RowInput): void =>
  mixRowsBackward(gpu, few!, dRow, grads.embedding);

/** The root mean square of the n standard normal numbers (of all but at most 3 of them) that each row's noise is made of, into `out` [rows]. */
export function noiseSize(input: NoiseInput, n: number, antithetic?: boolean): void {
  const { model: { gpu }, info, shift, out } = input;
  using scratch = gpu.arena.scratch();
  const [still, still2] = ["no row", "no row fed"].map((label) =>
    scratch.f32([out.shape[0], n - n % 4], label)
  );
  for (const row of [still, still2]) gpu.commands.zero(row);
  const at = { info, shift, key: keyOf(input, Domain.noise), antithetic };
  noiseMismatch(gpu, still, still2, 1, at, out);
}

/** Whether steps mix the whole vocabulary, a product as large as the head's: those of a few tokens read so many rows of E. */
export const mixesVocabulary = ({ continuous, few }: Thinking): boolean => continuous && few === undefined;

/** The key of a step's draws. */
export const keyOf = (input: { seed: number; step: number }, domain: number): RandomKey => ({
  seed: input.seed,
  domain,
  step: input.step,
});
