import { UserError } from "../../gpu/errors.ts";
import { GAIN_VERBS, LOSS_VERBS, NAMES, OBJECTS, SCALES } from "../../model/builtin/words.ts";
import { seededUniform } from "../seeded_uniform.ts";
import { type Stream, streamOf } from "../task.ts";

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

/** Longer problems on larger numbers, which tell trained models apart: before training one sample in three to five is right. */
export const SUMS_SLIPS: SumsOptions = {
  minOperations: 3,
  maxOperations: 7,
  minStart: 2,
  maxStart: 20,
  maxOperand: 20,
  maxScaled: 40,
  scales: [2],
  maxResult: 80,
};

/** One change of a number. */
export interface Operation {
  sign: "+" | "-" | "*";
  operand: number;
  /** The words between the name and the full stop. */
  words: string;
}

/** A problem before it is put into words. */
export interface Problem {
  name: string;
  object: string;
  operations: Operation[];
  /** The start and the number after each operation. */
  totals: number[];
}

/**
 * Draws the problem at an index of a stream.
 *
 * @param domain keeps what is drawn for one end apart from what is drawn for another
 * @throws UserError if the difficulty leaves no problem for the stream
 */
export function drawProblem(
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

/** Of what is drawn for a stream. */
export const STREAM_LABELS: Record<Stream, number> = { train: 0, validation: 1, test: 2 };

/** The next problem of a difficulty, of whatever stream. */
export function drawAnyProblem(options: SumsOptions, uniform: () => number): Problem {
  const [name, object] = [oneOf(NAMES, uniform), oneOf(OBJECTS, uniform)];
  const totals = [between(options.minStart, options.maxStart, uniform)];
  const operations: Operation[] = [];
  for (let left = between(options.minOperations, options.maxOperations, uniform); left > 0; left--) {
    const operation = drawOperation(options, totals.at(-1)!, uniform);
    operations.push(operation);
    totals.push(resultOf(operation, totals.at(-1)!));
  }
  return { name, object, operations, totals };
}

/** A change that keeps a total within the difficulty. */
export function drawOperation(options: SumsOptions, total: number, uniform: () => number): Operation {
  const mostGained = Math.min(options.maxOperand, options.maxResult - total);
  const mostLost = Math.min(options.maxOperand, total);
  const scales = options.scales.filter((by) =>
    total > 0 && total <= options.maxScaled && total * by <= options.maxResult
  );
  const kinds = [mostGained > 0 && "+", mostLost > 0 && "-", scales.length > 0 && "*"] as const;
  const sign = oneOf(kinds.filter((kind) => kind !== false), uniform);
  if (sign === "*") {
    const operand = oneOf(scales, uniform);
    return { sign, operand, words: SCALES[operand].slice(0, -1) };
  }
  const operand = between(1, sign === "+" ? mostGained : mostLost, uniform);
  const verb = oneOf(sign === "+" ? GAIN_VERBS : LOSS_VERBS, uniform);
  return { sign, operand, words: sign === "+" ? `${verb} ${operand} more` : `${verb} ${operand}` };
}

/** What a change makes of a total. */
export function resultOf({ sign, operand }: Operation, total: number): number {
  return sign === "*" ? total * operand : sign === "+" ? total + operand : total - operand;
}

/** A whole number of a range, both ends included. */
export const between = (low: number, high: number, uniform: () => number): number =>
  low + Math.floor(uniform() * (high - low + 1));

/** One of a list. */
export const oneOf = <T>(choices: readonly T[], uniform: () => number): T =>
  choices[Math.floor(uniform() * choices.length)];

/** A problem in words. */
export function questionText({ name, object, operations, totals }: Problem): string {
  const events = operations.map(({ words }) => ` ${name} ${words}.`).join("");
  return `${name} has ${totals[0]} ${object}.${events} How many ${object} does ${name} have?`;
}

/** The problem without its words: streams are told apart by it, so a test question is no renamed train question. */
export function arithmetic({ operations, totals }: Problem): string {
  return totals[0] + operations.map(({ sign, operand }) => sign + operand).join("");
}

/** @throws UserError if there are no such problems */
export function checkSumsOptions(options: SumsOptions): void {
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

/** The prompt around a question. */
export function sumsPrompt(question: string): string {
  return `User: ${question} Assistant:`;
}
