import { UserError } from "../../gpu/errors.ts";
import { seededUniform } from "../seeded_uniform.ts";

/** A measured share with its uncertainty. */
export interface Estimate {
  /** The mean over questions. */
  value: number;
  /** Of the mean. */
  standardError: number;
  /** Questions it is taken over. */
  questions: number;
}

/** How often one question was answered rightly. */
export interface QuestionResult {
  /** Right ones. */
  correct: number;
  /** All. */
  samples: number;
}

/**
 * The chance that at least one of k samples is right, estimated without bias from c right ones among n:
 * 1 - C(n-c, k) / C(n, k) (method, section 6). Products of ratios in logarithms, so n may be in the millions.
 *
 * @param n samples drawn
 * @param c right ones among them
 * @param k at most n
 */
export function passAtK(n: number, c: number, k: number): number {
  const isCount = (value: number, least: number) => Number.isInteger(value) && value >= least;
  if (!isCount(n, 1) || !isCount(c, 0) || !isCount(k, 1) || c > n || k > n) {
    throw new UserError(
      `Cannot estimate pass@${k} from ${c} right of ${n} samples: at least k samples of each question are needed`,
    );
  }
  if (n - c < k) return 1;
  // C(n-c, k) / C(n, k) is symmetric in c and k: the shorter product serves.
  const [terms, other] = c < k ? [c, k] : [k, c];
  let logMiss = 0;
  for (let i = 0; i < terms; i++) logMiss += Math.log1p(-other / (n - i));
  return -Math.expm1(logMiss) + 0;
}

/**
 * pass@k over questions, its standard error by bootstrap over questions: samples of one question are not
 * independent evidence.
 *
 * @param results one a question, each with at least k samples
 * @param k how many tries
 * @param seed of the resampling; equal results and seed give an equal standard error
 * @param resamples of the questions
 */
export function passAtKOver(
  results: readonly QuestionResult[],
  k: number,
  seed = 0,
  resamples = 1000,
): Estimate {
  const values = results.map(({ samples, correct }) => passAtK(samples, correct, k));
  return {
    value: mean(values),
    standardError: bootstrapError(values, seed, resamples),
    questions: values.length,
  };
}

/**
 * A share of right answers, one greedy answer a question, with its binomial standard error.
 *
 * Where all or none are right the plain formula gives 0; the error is then that of (c + 1) in (n + 2).
 */
export function greedyAccuracy(correct: readonly boolean[]): Estimate {
  const questions = correct.length;
  if (questions === 0) {
    throw new UserError("Cannot measure accuracy: there are no answers, at least one is needed");
  }
  const right = correct.filter(Boolean).length;
  const value = right / questions;
  const rate = right === 0 || right === questions ? (right + 1) / (questions + 2) : value;
  return { value, standardError: Math.sqrt(rate * (1 - rate) / questions), questions };
}

/**
 * How much a share changed between two measurements of the same questions, in the same order; the standard
 * error is that of the mean of the questions' own differences.
 *
 * @param before shares by question, booleans as 0 and 1
 * @param after the same questions
 */
export function pairedChange(before: readonly number[], after: readonly number[]): Estimate {
  if (before.length !== after.length || before.length < 2) {
    throw new UserError(
      `Cannot compare ${before.length} questions with ${after.length}: the same questions, at least 2, are needed`,
    );
  }
  const changes = after.map((value, i) => value - before[i]);
  const value = mean(changes);
  const squares = changes.reduce((sum, change) => sum + (change - value) ** 2, 0);
  const count = changes.length;
  return { value, standardError: Math.sqrt(squares / (count - 1) / count), questions: count };
}

/** Powers of two up to the number of samples: the usual values of k. */
export function usualKs(samples: number): number[] {
  const ks: number[] = [];
  for (let k = 1; k <= samples; k *= 2) ks.push(k);
  return ks;
}

function mean(values: readonly number[]): number {
  if (values.length === 0) throw new UserError("Cannot average over no questions: at least one is needed");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function bootstrapError(values: readonly number[], seed: number, resamples: number): number {
  const uniform = seededUniform(seed, values.length);
  const means = Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(uniform() * values.length)];
    return sum / values.length;
  });
  const centre = mean(means);
  return Math.sqrt(means.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (resamples - 1));
}
