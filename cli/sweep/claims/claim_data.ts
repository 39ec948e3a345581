import { UserError } from "../../../gpu/errors.ts";
import { type Crossed, crossedDifference, crossedMean, mean, sameQuestions } from "../../compare/crossed.ts";
import {
  at,
  endOf,
  inChoices,
  inMode,
  linesAtEnd,
  passOf,
  type Point,
  pointsOf,
  valuesAt,
  type ValuesOf,
} from "../../compare/line_values.ts";
import type { Line } from "../../compare/lines_of.ts";

/** What the claims are judged by: lines by name, and what was asked of them. */
export interface ClaimData {
  /** Every line's runs that were measured at its end; the untrained model is a line of one. */
  ends: ReadonlyMap<string, Point[]>;
  /** Task that is answered in text. */
  task: string;
  /** Task of choices; undefined where none was asked. */
  choiceTask: string | undefined;
  /** The most samples of a question. */
  k: number;
}

/** Lines that a claim needs. */
export const NEEDED = ["untrained", "hard", "soft", "fuzzy"];

/**
 * Gathers what a sweep measured.
 * @throws UserError if a line that the claims are about is missing
 */
export function claimData(lines: readonly Line[]): ClaimData {
  const ends = new Map(linesAtEnd(lines).map((line) => [line.name, pointsOf(line, endOf(line))]));
  const missing = NEEDED.filter((name) => !ends.has(name));
  if (missing.length > 0) {
    throw new UserError(
      `Cannot judge the claims: no measured run of ${missing.join(", ")} is there`,
      `lines of these names are needed: ${NEEDED.join(", ")}`,
    );
  }
  const [{ run, step }] = ends.get("untrained")!;
  const { modes, choices } = at(run, step)!;
  const sampled = modes.find(({ result }) => result.mode === "hard-sample");
  if (!sampled) {
    throw new UserError("Cannot judge the claims: nothing was measured in the mode hard-sample");
  }
  const k = sampled.result.passAt.at(-1)!.k;
  return { ends, task: sampled.task, choiceTask: choices[0]?.task, k };
}

/** The chance of a right one among k samples in a mode, question by question. */
export const pass = ({ task }: ClaimData, mode: string, k: number): ValuesOf => passOf(task, mode, k);

/** The entropy of the thinking where tokens are drawn. */
export const entropy = ({ task }: ClaimData): ValuesOf =>
  inMode(task, "hard-sample", ({ entropy }) => entropy);

/** -ln p by token of the right choice, question by question. */
export const nll = ({ choiceTask }: ClaimData): ValuesOf =>
  choiceTask === undefined ? () => undefined : inChoices(choiceTask, ({ nll }) => nll);

/** How much larger a value is at some points than at others. */
export function difference(
  points: readonly Point[],
  others: readonly Point[],
  values: ValuesOf,
): Crossed | null {
  const [ours, theirs] = [valuesAt(points, values), valuesAt(others, values)];
  return ours && theirs ? crossedDifference(ours, theirs) : null;
}

/**
 * A number of each seed that both lines have, made of a value of each and of the untrained model, by question.
 *
 * @param combine the values of a question: hard's, the line's, the untrained model's
 */
export function combined(
  data: ClaimData,
  hard: readonly Point[],
  line: readonly Point[],
  values: ValuesOf,
  combine: (hard: number, line: number, untrained: number) => number,
): Crossed | null {
  const [u, h, x] = [data.ends.get("untrained")!, hard, line].map((points) => valuesAt(points, values));
  if (!u || !h || !x || !sameQuestions(u.asked, h.asked) || !sameQuestions(u.asked, x.asked)) return null;
  const [untrained] = u.values;
  const rows = x.seeds.flatMap((seed, i) => {
    const j = h.seeds.indexOf(seed);
    return j < 0 ? [] : [x.values[i].map((value, q) => combine(h.values[j][q], value, untrained[q]))];
  });
  return rows.length === 0 ? null : crossedMean(rows);
}

/**
 * Of each seed's hard run the checkpoint, the untrained model among them, whose pass@1 with drawn tokens is nearest to that of the line's run
 * of that seed.
 */
export function stoppedEarly(data: ClaimData, line: readonly Point[]): Point[] {
  const first = pass(data, "hard-sample", 1);
  const rightAt = ({ run, step }: Point) => {
    const measured = at(run, step);
    const values = measured && first(measured);
    return values && mean(values.values);
  };
  const [untrained] = data.ends.get("untrained")!;
  return line.flatMap((point) => {
    const goal = rightAt(point);
    const hard = data.ends.get("hard")!.find(({ run }) => run.seed === point.run.seed);
    if (goal === undefined || !hard) return [];
    const candidates = [
      // It stands for this seed's run before its first update.
      { run: { ...untrained.run, seed: hard.run.seed }, step: untrained.step },
      ...hard.run.measured.map(({ step }) => ({ run: hard.run, step })),
    ].filter((one) => rightAt(one) !== undefined);
    const gap = (one: Point) => Math.abs(rightAt(one)! - goal);
    return [candidates.reduce((best, one) => gap(one) < gap(best) ? one : best)];
  });
}
