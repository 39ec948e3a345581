/**
 * The embedded task: word problems about sums, generated without end from a seed, in the words of the
 * embedded tokenizer. A model that writes its steps solves them; one that blurts the answer often does not.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import { GAIN_VERBS, LOSS_VERBS, NAMES, OBJECTS, SCALES } from "../../model/builtin/words.ts";
import { hashDigits, seededUniform } from "../seeded.ts";
import { gradeBox, type Question, type Stream, streamOf, type Task, type TaskLimits } from "../task.ts";
import { FORCED_TEXTS } from "../../model/generation/thinking_text.ts";

/** How hard the problems are. All numbers are whole and never negative. */
export interface SumsOptions {
  /** Fewest changes to the first number. */
  minOperations: number;
  /** Most changes. */
  maxOperations: number;
  /** Smallest first number. */
  minStart: number;
  /** Largest first number. */
  maxStart: number;
  /** Most that is won or lost at once. */
  maxOperand: number;
  /** Largest number that is still multiplied. */
  maxScaled: number;
  /** Factors in use. */
  scales: readonly (keyof typeof SCALES)[];
  /** Largest number at any time. */
  maxResult: number;
}

/** The problems that the embedded model was made for. */
export const SUMS: SumsOptions = {
  minOperations: 2,
  maxOperations: 5,
  minStart: 2,
  maxStart: 12,
  maxOperand: 12,
  maxScaled: 20,
  scales: [2],
  maxResult: 50,
};

/** Longer problems on larger numbers, which keep pass@32 below 1: for experiments. */
export const SUMS_LONG: SumsOptions = {
  minOperations: 4,
  maxOperations: 7,
  minStart: 2,
  maxStart: 30,
  maxOperand: 30,
  maxScaled: 33,
  scales: [2, 3],
  maxResult: 99,
};

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
}

/** One text to imitate; the end token is to follow it. */
export interface Demonstration {
  /** A prompt of the task. */
  prompt: string;
  /** Begins with a blank, ends with the closed box. */
  completion: string;
  /** Which of the two habits it shows. */
  habit: "steps" | "blurt";
}

/** The demonstrations of the recipe: 45 in 100 write their steps. */
export const DEMONSTRATIONS: DemonstrationOptions = { stepsShare: 0.45, styles: { steps: 1 }, wrongShare: 0 };

/** `sums`, or `sums-long` where so named. */
export const sums: Task = sumsTask("sums", SUMS, { maxThinking: 52, maxThinkingEval: 52, answerTokens: 5 });
/** The harder variant. */
export const sumsLong: Task = sumsTask("sums-long", SUMS_LONG, {
  maxThinking: 72,
  maxThinkingEval: 72,
  answerTokens: 5,
});

/** A task of problems of the given difficulty. */
export function sumsTask(name: string, options: SumsOptions, limits: TaskLimits): Task {
  checkOptions(options);
  return {
    kind: "generation",
    name,
    version: 1,
    prompt: sumsPrompt,
    limits,
    grade: (gold, continuation) => gradeBox(gold, continuation),
    question: (stream, seed, index) => asQuestion(drawProblem(options, stream, seed, index, 0)),
    demonstration: (seed, index) => demonstration(seed, index, {}, options),
    size: () => null,
  };
}

/** The prompt around a question. */
export function sumsPrompt(question: string): string {
  return `User: ${question} Assistant:`;
}

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

interface Operation {
  sign: "+" | "-" | "*";
  operand: number;
  /** The words between the name and the full stop. */
  words: string;
}

interface Problem {
  name: string;
  object: string;
  operations: Operation[];
  /** The start and the number after each operation. */
  totals: number[];
}

function drawProblem(
  options: SumsOptions,
  stream: Stream,
  seed: number,
  index: number,
  domain: number,
): Problem {
  const uniform = seededUniform(seed, index, domain, STREAM_LABELS[stream]);
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const problem = drawAnyProblem(options, uniform);
    if (streamOf(arithmetic(problem)) === stream) return problem;
  }
  throw new UserError(
    `Cannot draw a problem for the ${stream} stream: ${MOST_ATTEMPTS} problems of this difficulty all belong to other ` +
      "streams, a wider difficulty is needed",
  );
}

/** One in 16 falls into the smaller streams: an ordinary difficulty never comes near this. */
const MOST_ATTEMPTS = 10_000;

const STREAM_LABELS: Record<Stream, number> = { train: 0, validation: 1, test: 2 };

function drawAnyProblem(options: SumsOptions, uniform: () => number): Problem {
  const between = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1));
  const oneOf = <T>(choices: readonly T[]) => choices[Math.floor(uniform() * choices.length)];
  const [name, object] = [oneOf(NAMES), oneOf(OBJECTS)];
  const totals = [between(options.minStart, options.maxStart)];
  const operations: Operation[] = [];
  for (let left = between(options.minOperations, options.maxOperations); left > 0; left--) {
    const total = totals.at(-1)!;
    const mostGained = Math.min(options.maxOperand, options.maxResult - total);
    const mostLost = Math.min(options.maxOperand, total);
    const scales = options.scales.filter((by) =>
      total > 0 && total <= options.maxScaled && total * by <= options.maxResult
    );
    const kinds = [mostGained > 0 && "+", mostLost > 0 && "-", scales.length > 0 && "*"] as const;
    const sign = oneOf(kinds.filter((kind) => kind !== false));
    if (sign === "*") {
      const operand = oneOf(scales);
      operations.push({ sign, operand, words: SCALES[operand].slice(0, -1) });
      totals.push(total * operand);
    } else if (sign === "+") {
      const operand = between(1, mostGained);
      operations.push({ sign, operand, words: `${oneOf(GAIN_VERBS)} ${operand} more` });
      totals.push(total + operand);
    } else {
      const operand = between(1, mostLost);
      operations.push({ sign, operand, words: `${oneOf(LOSS_VERBS)} ${operand}` });
      totals.push(total - operand);
    }
  }
  return { name, object, operations, totals };
}

function asQuestion(problem: Problem): Question {
  const question = questionText(problem);
  return {
    id: `sums-${hashDigits(question)}-${hashDigits(arithmetic(problem))}`,
    question,
    gold: `${problem.totals.at(-1)}`,
  };
}

function questionText({ name, object, operations, totals }: Problem): string {
  const events = operations.map(({ words }) => ` ${name} ${words}.`).join("");
  return `${name} has ${totals[0]} ${object}.${events} How many ${object} does ${name} have?`;
}

/** The problem without its words: streams are told apart by it, so a test question is no renamed train question. */
function arithmetic({ operations, totals }: Problem): string {
  return totals[0] + operations.map(({ sign, operand }) => sign + operand).join("");
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

function checkOptions(options: SumsOptions): void {
  const { minOperations, maxOperations, minStart, maxStart, maxOperand, maxResult } = options;
  const isRange = (low: number, high: number) =>
    Number.isInteger(low) && Number.isInteger(high) && low <= high;
  if (!isRange(minOperations, maxOperations) || minOperations < 1) {
    throw new UserError(
      `Cannot make problems of ${minOperations} to ${maxOperations} operations: a range from at least 1 is needed`,
    );
  }
  if (
    !isRange(minStart, maxStart) || minStart < 0 || maxStart > maxResult || !isRange(1, maxOperand) ||
    maxResult < 1
  ) {
    throw new UserError(
      `Cannot make problems that start at ${minStart} to ${maxStart}, change by up to ${maxOperand} and stay within ` +
        `${maxResult}: whole numbers are needed, the start within the result's range`,
    );
  }
}
