import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { passAtK } from "../../eval/measures/pass_at_k.ts";
import { type Asked, type LineValues, sameQuestions } from "./crossed.ts";
import type { Line } from "./lines_of.ts";
import { askedIn, type Measured, type ModeMeasured } from "./read_measured.ts";
import type { RunRecord } from "./read_run.ts";

/** A run after so many updates. */
export interface Point {
  run: RunRecord;
  step: number;
}

/** A measure of what was measured: a value a question, or one. */
export interface Values {
  values: readonly number[];
  /** The questions of the values; absent of one that is of none. */
  asked?: Asked;
}

/** Takes a measure; undefined where it is not there. */
export type ValuesOf = (measured: Measured) => Values | undefined;

/** What was measured of a run after so many updates. */
export const at = ({ measured }: RunRecord, step: number): Measured | undefined =>
  measured.find((one) => one.step === step);

/** The last step that any run of a line was measured after; 0 of a line that was not. */
export const endOf = ({ runs }: Line): number =>
  Math.max(0, ...runs.flatMap(({ measured }) => measured.map(({ step }) => step)));

/** The runs of a line that were measured after so many updates. */
export const pointsOf = ({ runs }: Line, step: number): Point[] =>
  runs.filter((run) => at(run, step) !== undefined).map((run) => ({ run, step }));

/** Each line with the runs that were measured at its end; lines without such a run are left out. */
export const linesAtEnd = (lines: readonly Line[]): Line[] =>
  lines.map((line) => ({ ...line, runs: pointsOf(line, endOf(line)).map(({ run }) => run) }))
    .filter(({ runs }) => runs.length > 0);

const findMode = ({ modes }: Measured, task: string, mode: string): ModeMeasured | undefined =>
  modes.find((one) => one.task === task && one.result.mode === mode);

/** A mode of what was measured. */
export const modeOf = (measured: Measured, task: string, mode: string): ModeResult | undefined =>
  findMode(measured, task, mode)?.result;

/** The questions of a choice task of what was measured. */
export const answersOf = ({ choices }: Measured, task: string) =>
  choices.find((one) => one.task === task)?.answers;

/** The chance of a right one among k samples, question by question; undefined where there are fewer. */
export const passOf = (task: string, mode: string, k: number): ValuesOf => (measured) => {
  const one = findMode(measured, task, mode);
  if (one === undefined || one.result.samples < k) return undefined;
  const values = one.result.questions.map(({ samples, correct }) => passAtK(samples, correct, k));
  return { values, asked: askedIn(one) };
};

/** A number of a whole mode; undefined where it is null. */
export const inMode =
  (task: string, mode: string, value: (result: ModeResult) => number | null): ValuesOf => (measured) => {
    const result = modeOf(measured, task, mode);
    const number = result === undefined ? null : value(result) ?? null;
    return number === null ? undefined : { values: [number] };
  };

/** A number of each question of a choice task. */
export const inChoices =
  (task: string, value: (answer: { correct: boolean; nll: number }) => number): ValuesOf => (measured) => {
    const one = measured.choices.find((one) => one.task === task);
    return one && { values: one.answers.map(value), asked: askedIn(one) };
  };

/**
 * The values of some points that were asked the same questions, those of most of them; points without a value are left out.
 * @returns undefined where none has one
 */
export function valuesAt(
  points: readonly Point[],
  values: ValuesOf,
): LineValues & { points: Point[] } | undefined {
  const found = points.flatMap((point) => {
    const measured = at(point.run, point.step);
    const one = measured && values(measured);
    return one ? [{ point, ...one }] : [];
  });
  const groups = found.map((one) =>
    found.filter((other) =>
      sameQuestions(one.asked, other.asked) && one.values.length === other.values.length
    )
  );
  const most = groups.find(({ length }) => groups.every((other) => other.length <= length));
  return most && {
    points: most.map(({ point }) => point),
    seeds: most.map(({ point }) => point.run.seed),
    values: most.map(({ values }) => values),
    asked: most[0].asked,
  };
}
