import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { passAtK } from "../../eval/measures/pass_at_k.ts";
import { UserError } from "../../gpu/errors.ts";
import { costOf, type RunCost } from "./cost_of.ts";
import { type Crossed, crossedDifference, deviation, type LineValues, mean } from "./crossed.ts";
import type { Line } from "./lines_of.ts";
import type { Measured } from "./read_measured.ts";
import type { RunRecord } from "./read_run.ts";

/** Lines side by side. */
export interface Comparison {
  /** The line that the others are compared with. */
  against: string;
  rows: ComparisonRow[];
}

/** A line in one mode, after so many updates. */
export interface ComparisonRow {
  line: string;
  /** Seeds that were measured. */
  runs: number;
  step: number;
  /** Task and mode; null where only tasks of choices were measured. */
  task: string | null;
  mode: string | null;
  passAt: (Spread & { k: number })[];
  /** Nats at temperature 1, over thinking steps. */
  entropy: Spread | null;
  /** Steps of thinking. */
  length: Spread | null;
  /** Of each task of choices: -ln p by token of the right choice, and the share of questions where it is the likeliest. */
  choices: { task: string; nll: Spread; accuracy: Spread }[];
  /** The training's own last validation by then: greedy accuracy. */
  validation: Spread | null;
  /** Of the training until then: means over runs; null of a model that was not trained. */
  cost: RunCost | null;
}

/** A measure over the runs of a line. */
export interface Spread {
  mean: number;
  /** Over runs; null of a single one. */
  sd: number | null;
  /** To the line that is compared with, in the same mode at its end; null where nothing can be said. */
  difference: Crossed | null;
}

/** What is to be compared. */
export interface CompareOptions {
  /** Name of a line; the first that was trained if left out. */
  against?: string;
  /** After every number of updates that was measured, not at the end alone. */
  checkpoints?: boolean;
  /** Only these modes. */
  modes?: readonly string[];
}

/**
 * Compares lines: mean and standard deviation over seeds, and differences paired by seed and question.
 * @throws UserError if the line to compare with is not there
 */
export function compareLines(lines: readonly Line[], options: CompareOptions = {}): Comparison {
  const against = options.against === undefined
    ? lines.find(({ runs }) => runs.some(({ seed }) => seed !== null)) ?? lines[0]
    : lines.find(({ name }) => name === options.against);
  if (against === undefined) {
    throw new UserError(
      `Cannot compare with ${options.against ?? "nothing"}: there is no such line`,
      `the lines are ${lines.map(({ name }) => name).join("; ")}`,
    );
  }
  return { against: against.name, rows: lines.flatMap((line) => rowsOf(line, against, options)) };
}

/** The last step that all runs of a line were measured after. */
export function endOf({ runs }: Line): number {
  const steps = runs[0].measured.map(({ step }) => step)
    .filter((step) => runs.every(({ measured }) => measured.some((one) => one.step === step)));
  return steps.at(-1) ?? 0;
}

function rowsOf(line: Line, against: Line, options: CompareOptions): ComparisonRow[] {
  const all = [...new Set(line.runs.flatMap(({ measured }) => measured.map(({ step }) => step)))];
  if (all.length === 0) return [costRow(line, against)];
  const steps = options.checkpoints ? all.sort((a, b) => a - b) : [endOf(line)];
  return steps.flatMap((step) => rowsAt(line, step, against, options.modes));
}

const NO_MODE = { task: null, mode: null, passAt: [], entropy: null, length: null };

/** What is known of a line that was trained, and not measured: its validation and its cost. */
function costRow({ name, runs }: Line, against: Line): ComparisonRow {
  const step = Math.min(...runs.map(({ lines }) => lines.at(-1)?.step ?? 0));
  const validation = validationOf({ name, runs }, step, against);
  return {
    line: name,
    runs: runs.length,
    step,
    ...NO_MODE,
    choices: [],
    validation,
    cost: costOf(runs, step),
  };
}

function validationOf({ name, runs }: Line, step: number, against: Line): Spread | null {
  const last = ({ seed, lines }: RunRecord, step: number) => {
    const found = lines.findLast((line) => line.step <= step && line.validation_accuracy !== undefined);
    return { seed, value: found?.validation_accuracy };
  };
  const valuesOf = (all: readonly RunRecord[], step: number): LineValues | null => {
    const found = all.map((run) => last(run, step));
    return found.some(({ value }) => value === undefined)
      ? null
      : { seeds: found.map(({ seed }) => seed), values: found.map(({ value }) => [value!]) };
  };
  const own = valuesOf(runs, step);
  const other = name === against.name ? null : valuesOf(against.runs, Infinity);
  if (!own) return null;
  const means = own.values.map(mean);
  return { mean: mean(means), sd: deviation(means), difference: other && crossedDifference(own, other) };
}

function rowsAt(
  line: Line,
  step: number,
  against: Line,
  modes: readonly string[] | undefined,
): ComparisonRow[] {
  const runs = line.runs.filter((run) => at(run, step) !== undefined);
  if (runs.length === 0) return [];
  const end = endOf(against);
  const spread = (values: ValuesOf) => spreadOf({ name: line.name, runs }, step, against, end, values);
  const first = at(runs[0], step)!;
  const shared = {
    ...{ line: line.name, runs: runs.length, step },
    choices: first.choices.map(({ task }) => ({
      task,
      nll: spread((one) => answersOf(one, task)?.map(({ nll }) => nll))!,
      accuracy: spread((one) => answersOf(one, task)?.map(({ correct }) => correct ? 1 : 0))!,
    })),
    validation: validationOf({ name: line.name, runs }, step, against),
    cost: costOf(runs, step),
  };
  const shown = first.modes.filter(({ result }) => modes?.includes(result.mode) ?? true);
  if (shown.length === 0 && shared.choices.length > 0 && modes === undefined) {
    return [{ ...shared, ...NO_MODE }];
  }
  return shown.map(({ task, result: { mode, passAt } }) => {
    const of = (value: (result: ModeResult) => number[] | undefined) =>
      spread((one) => {
        const result = modeOf(one, task, mode);
        return result && value(result);
      });
    return {
      ...shared,
      ...{ task, mode },
      passAt: passAt.map(({ k }) => ({ k, ...of((result) => passValues(result, k))! })),
      entropy: of(({ entropy }) => entropy === null ? undefined : [entropy]),
      length: of(({ thinkingLength }) => [thinkingLength]),
    };
  });
}

/** A measure of what was measured: a value a question, or one; undefined where it is not there. */
export type ValuesOf = (measured: Measured) => number[] | undefined;

/** What was measured of a run after so many updates. */
export const at = ({ measured }: RunRecord, step: number): Measured | undefined =>
  measured.find((one) => one.step === step);

/** A mode of what was measured. */
export const modeOf = ({ modes }: Measured, task: string, mode: string): ModeResult | undefined =>
  modes.find((one) => one.task === task && one.result.mode === mode)?.result;

/** The questions of a choice task of what was measured. */
export const answersOf = ({ choices }: Measured, task: string) =>
  choices.find((one) => one.task === task)?.answers;

/** The chance of a right one among k samples, question by question; undefined where there are fewer. */
export const passValues = ({ questions, samples }: ModeResult, k: number): number[] | undefined =>
  samples < k ? undefined : questions.map((one) => passAtK(one.samples, one.correct, k));

/** The values of a line after so many updates; undefined where a run has none. */
export function lineValues(
  runs: readonly RunRecord[],
  step: number,
  values: ValuesOf,
): LineValues | undefined {
  const all = runs.map((run) => {
    const one = at(run, step);
    return one && values(one);
  });
  if (all.length === 0 || all.some((one) => one === undefined)) return undefined;
  return { seeds: runs.map(({ seed }) => seed), values: all as number[][] };
}

function spreadOf(line: Line, step: number, against: Line, end: number, values: ValuesOf): Spread | null {
  const own = lineValues(line.runs, step, values);
  if (own === undefined) return null;
  const means = own.values.map(mean);
  const isItself = line.name === against.name && step === end;
  const other = isItself ? undefined : lineValues(against.runs, end, values);
  return {
    mean: mean(means),
    sd: deviation(means),
    difference: other === undefined ? null : crossedDifference(own, other),
  };
}
