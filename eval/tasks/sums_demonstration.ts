import { UserError } from "../../gpu/errors.ts";
import { FORCED_TEXTS } from "../../model/generation/thinking_text.ts";
import { seededUniform } from "../seeded_uniform.ts";
import {
  drawProblem,
  type Problem,
  questionText,
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
interface DemonstrationOptions {
  /** Part that writes its steps; the rest blurts the answer. */
  stepsShare: number;
  /** Weights of the styles among those that write steps. */
  styles: Partial<Record<SumsStyle, number>>;
  /** Part of written demonstrations with one wrong step, carried on to a wrong answer. */
  wrongShare: number;
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

/** The demonstrations of the recipe: 45 in 100 write their steps. */
const DEMONSTRATIONS: DemonstrationOptions = { stepsShare: 0.45, styles: { steps: 1 }, wrongShare: 0 };

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
  const { stepsShare, styles, wrongShare } = { ...DEMONSTRATIONS, ...options };
  const problem = drawProblem(difficulty, "train", seed, index, 1);
  const uniform = seededUniform(seed, index, 2);
  const habit = uniform() < stepsShare ? "steps" : "blurt";
  const style = weightedChoice(uniform(), styles);
  const shift = uniform() < wrongShare ? { at: uniform(), by: uniform() } : undefined;
  const totals = habit === "steps" && shift ? shiftedTotals(problem, shift, difficulty) : problem.totals;
  const steps = habit === "steps" ? writtenSteps(problem, totals, style) : "";
  const completion = `${steps}${FORCED_TEXTS.triggerAndBox}${totals.at(-1)}}`;
  return { prompt: sumsPrompt(questionText(problem)), completion, habit };
}

function writtenSteps({ operations }: Problem, totals: number[], style: SumsStyle): string {
  if (style === "totals") return totals.map((total) => ` ${total}.`).join("");
  const results = operations.map(({ sign, operand }, i) => ` ${sign} ${operand} = ${totals[i + 1]}`);
  if (style === "chain") return ` ${totals[0]}${results.join("")}.`;
  return results.map((result, i) => ` ${totals[i]}${result}.`).join("");
}

/** The totals as one slip of 1 to 3 leaves them; unchanged where a later number would leave the task's range. */
function shiftedTotals(
  problem: Problem,
  shift: { at: number; by: number },
  { maxResult }: SumsOptions,
): number[] {
  const slip = Math.floor(shift.at * problem.operations.length);
  const amount = [-3, -2, -1, 1, 2, 3][Math.floor(shift.by * 6)];
  const totals = [problem.totals[0]];
  problem.operations.forEach(({ sign, operand }, i) => {
    const total = totals[i];
    const right = sign === "*" ? total * operand : sign === "+" ? total + operand : total - operand;
    totals.push(i === slip ? right + amount : right);
  });
  return totals.every((total) => total >= 0 && total <= maxResult) ? totals : problem.totals;
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
