import { UserError } from "../../gpu/errors.ts";
import { FORCED_TEXTS } from "../../model/generation/thinking_text.ts";
import { seededUniform } from "../seeded_uniform.ts";
import { drawOwners, ownersText } from "./owners_problem.ts";
import {
  drawProblem,
  type Problem,
  questionText,
  resultOf,
  SUMS,
  type SumsOptions,
  sumsPrompt,
} from "./sums_problem.ts";

/** How written steps look. */
export type SumsStyle =
  /** ` 10 * 2 = 20. 20 + 2 = 22.` */
  | "steps"
  /** ` 10 * 2 = 20 + 2 = 22.` */
  | "chain"
  /** ` 10. 20. 22.` */
  | "totals";

/** What the demonstrations are like. */
export interface DemonstrationOptions {
  /** Part that writes its steps; the rest blurts the answer. */
  stepsShare: number;
  /** Weights of the styles among those that write steps. */
  styles: Partial<Record<SumsStyle, number>>;
  /** Part of written demonstrations with one wrong step, carried on to a wrong answer. */
  wrongShare: number;
  /** Part that tells of two owners, the family of problems that reinforcement never asks. */
  ownersShare: number;
}

/** One text to imitate; the end token is to follow it. */
interface Demonstration {
  /** A prompt of the task. */
  prompt: string;
  /** Begins with a blank, ends with the closed box. */
  completion: string;
  /** Which of the two habits it shows. */
  habit: "steps" | "blurt";
}

/** Those that the embedded model was made from: 45 in 100 write their steps, 20 in 100 tell of two owners. */
export const DEMONSTRATIONS: DemonstrationOptions = {
  stepsShare: 0.45,
  styles: { steps: 1 },
  wrongShare: 0,
  ownersShare: 0.2,
};
/** Those of `sums-slips`: steps are written in three ways, and three in ten of them hold a slip. */
export const SLIPS_DEMONSTRATIONS: DemonstrationOptions = {
  stepsShare: 0.45,
  styles: { steps: 2, chain: 1, totals: 1 },
  wrongShare: 0.3,
  ownersShare: 0.2,
};

/**
 * A text that shows how to answer, drawn from the train stream.
 *
 * @param seed of all demonstrations of a run
 * @param index of this one
 * @param options defaults: {@linkcode DEMONSTRATIONS}
 * @param difficulty defaults: {@linkcode SUMS}
 */
export function demonstration(
  seed: number,
  index: number,
  options: Partial<DemonstrationOptions> = {},
  difficulty: SumsOptions = SUMS,
): Demonstration {
  const { stepsShare, styles, wrongShare, ownersShare } = { ...DEMONSTRATIONS, ...options };
  const { problem, question } = seededUniform(seed, index, 3)() < ownersShare
    ? ofOwners(seed, index)
    : ofOne(difficulty, seed, index);
  const uniform = seededUniform(seed, index, 2);
  const habit = uniform() < stepsShare ? "steps" : "blurt";
  const style = weightedChoice(uniform(), styles);
  const shift = uniform() < wrongShare ? { at: uniform(), by: uniform() } : undefined;
  const totals = habit === "steps" && shift
    ? slippedTotals(problem, shift, difficulty.maxResult)
    : problem.totals;
  const steps = habit === "steps" ? writtenSteps(problem, totals, style) : "";
  return { prompt: sumsPrompt(question), completion: `${steps}${boxed(totals)}`, habit };
}

function ofOne(difficulty: SumsOptions, seed: number, index: number) {
  const problem = drawProblem(difficulty, "train", seed, index, 1);
  return { problem, question: questionText(problem) };
}

function ofOwners(seed: number, index: number) {
  const owners = drawOwners("train", seed, index, 1);
  return { problem: owners.problems[owners.asked], question: ownersText(owners) };
}

/** The end of every demonstration: the last total in the box. */
export const boxed = (totals: readonly number[]): string => `${FORCED_TEXTS.triggerAndBox}${totals.at(-1)}}`;

/** The totals of a problem as steps in a style; each sentence begins with a blank. */
export function writtenSteps({ operations }: Problem, totals: readonly number[], style: SumsStyle): string {
  if (style === "totals") return totals.map((total) => ` ${total}.`).join("");
  const results = operations.map(({ sign, operand }, i) => ` ${sign} ${operand} = ${totals[i + 1]}`);
  if (style === "chain") return ` ${totals[0]}${results.join("")}.`;
  return results.map((result, i) => ` ${totals[i]}${result}.`).join("");
}

/**
 * The totals as one slip of 1 to 3 leaves them; unchanged where a later number would leave the range.
 *
 * @param shift two uniform numbers: where the slip is, and how large
 */
export function slippedTotals(
  { operations, totals }: Problem,
  shift: { at: number; by: number },
  maxResult: number,
): number[] {
  const slip = Math.floor(shift.at * operations.length);
  const amount = [-3, -2, -1, 1, 2, 3][Math.floor(shift.by * 6)];
  const slipped = [totals[0]];
  operations.forEach((operation, i) => {
    slipped.push(resultOf(operation, slipped[i]) + (i === slip ? amount : 0));
  });
  return slipped.every((total) => total >= 0 && total <= maxResult) ? slipped : totals;
}

function weightedChoice(uniform: number, weights: Partial<Record<SumsStyle, number>>): SumsStyle {
  const entries = Object.entries(weights) as [SumsStyle, number][];
  const sum = entries.reduce((total, [, weight]) => total + weight, 0);
  if (!(sum > 0)) {
    throw new UserError("Cannot write demonstrations: no style has a weight above 0, one is needed");
  }
  let rest = uniform * sum;
  return (entries.find(([, weight]) => (rest -= weight) < 0) ?? entries.at(-1)!)[0];
}
