import { costOf, type RunCost } from "./cost_of.ts";
import {
  type Crossed,
  crossedDifference,
  deviation,
  type LineValues,
  mean,
  sameQuestions,
} from "./crossed.ts";
import {
  at,
  endOf,
  inChoices,
  inMode,
  modeOf,
  passOf,
  type Point,
  pointsOf,
  valuesAt,
} from "./line_values.ts";
import type { ValuesOf } from "./line_values.ts";
import type { Line } from "./lines_of.ts";
import type { Notes } from "./notes.ts";
import { nameIn } from "./read_measured.ts";
import type { RunRecord } from "./read_run.ts";

/** A line in one mode, after so many updates. */
export interface ComparisonRow {
  line: string;
  /** Seeds that were measured so. */
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
  /** To the line that is compared with, in the same mode at its end; null where nothing can be said, or other questions were asked. */
  difference: Crossed | null;
}

/** A line, and what it is compared with. */
export interface Side {
  line: Line;
  against: Line;
  /** Only these modes; all if left out. */
  modes?: readonly string[];
  /** Where runs that are left out are named. */
  notes: Notes;
}

/** The rows of a line: at its end, or after every number of updates that was measured. */
export function rowsOf(side: Side, checkpoints: boolean): ComparisonRow[] {
  const { line } = side;
  const all = [...new Set(line.runs.flatMap(({ measured }) => measured.map(({ step }) => step)))];
  if (all.length === 0) return [costRow(side)];
  const steps = checkpoints ? all.sort((a, b) => a - b) : [endOf(line)];
  return steps.flatMap((step) => rowsAt(side, step));
}

const NO_MODE = { task: null, mode: null, passAt: [], entropy: null, length: null };

/** What is known of a line that was trained, and not measured: its validation and its cost. */
function costRow(side: Side): ComparisonRow {
  const { runs } = side.line;
  const step = Math.min(...runs.map(({ lines }) => lines.at(-1)?.step ?? 0));
  return { ...trainedBy(side, runs, step), ...NO_MODE, choices: [] };
}

/** What is told of some runs of a line in whatever mode. */
function trainedBy({ line, against }: Side, runs: readonly RunRecord[], step: number) {
  const own = lastValidations(runs, step);
  const other = line === against ? undefined : lastValidations(against.runs, Infinity);
  return {
    line: line.name,
    runs: runs.length,
    step,
    validation: own === undefined ? null : spreadOf(own, other),
    cost: costOf(runs, step),
  };
}

/** Of each run that has one; undefined where none has. */
function lastValidations(runs: readonly RunRecord[], step: number): LineValues | undefined {
  const found = runs.flatMap(({ seed, lines }) => {
    const last = lines.findLast((line) => line.step <= step && line.validation_accuracy !== undefined);
    return last ? [{ seed, value: last.validation_accuracy! }] : [];
  });
  if (found.length === 0) return undefined;
  return { seeds: found.map(({ seed }) => seed), values: found.map(({ value }) => [value]) };
}

function rowsAt(side: Side, step: number): ComparisonRow[] {
  const { line, modes } = side;
  for (const run of line.runs) {
    if (!at(run, step)) side.notes.leaveOut(run.folder, `not measured after ${step} updates`);
  }
  const points = pointsOf(line, step);
  const measured = points.map(({ run }) => at(run, step)!);
  const choices = unique(measured.flatMap((one) => one.choices.map(({ task }) => task))).map((task) => {
    const nll = inChoices(task, (answer) => answer.nll);
    const alike = askedAlike(side, points, nll, task);
    const spread = (values: ValuesOf) => spreadAt(side, alike, values, task)!;
    return { task, nll: spread(nll), accuracy: spread(inChoices(task, ({ correct }) => correct ? 1 : 0)) };
  });
  const asked = measured.flatMap((one) => one.modes)
    .filter((one, i, all) => all.findIndex((other) => nameIn(other) === nameIn(one)) === i)
    .filter(({ result }) => modes?.includes(result.mode) ?? true);
  if (asked.length === 0 && choices.length > 0 && modes === undefined) {
    return [{ ...trainedBy(side, points.map(({ run }) => run), step), ...NO_MODE, choices }];
  }
  return asked.map(({ task, result: { mode } }) => {
    const what = `${mode} on ${task}`;
    const alike = askedAlike(side, points, passOf(task, mode, 1), what);
    const spread = (values: ValuesOf) => spreadAt(side, alike, values, what);
    const results = alike.map(({ run }) => modeOf(at(run, step)!, task, mode)!);
    const ks = results[0].passAt.map(({ k }) => k).filter((k) =>
      results.every(({ samples }) => samples >= k)
    );
    return {
      ...trainedBy(side, alike.map(({ run }) => run), step),
      ...{ task, mode, choices },
      passAt: ks.map((k) => ({ k, ...spread(passOf(task, mode, k))! })),
      entropy: spread(inMode(task, mode, ({ entropy }) => entropy)),
      length: spread(inMode(task, mode, ({ thinkingLength }) => thinkingLength)),
    };
  });
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** The points that have these values and were asked the same questions; the others are named. */
function askedAlike({ notes }: Side, points: readonly Point[], values: ValuesOf, what: string): Point[] {
  const alike = valuesAt(points, values)?.points ?? [];
  for (const point of points.filter((one) => !alike.includes(one))) {
    const { run, step } = point;
    const why = valuesAt([point], values) ? "asked other questions" : "not measured";
    notes.leaveOut(run.folder, `${why} in ${what} after ${step} updates`);
  }
  return alike;
}

/** A measure at some points of a line, beside that of the line that is compared with at its end; null where none has it. */
function spreadAt(
  { line, against, notes }: Side,
  points: readonly Point[],
  values: ValuesOf,
  what: string,
): Spread | null {
  const own = valuesAt(points, values);
  if (own === undefined) return null;
  const end = endOf(against);
  const isItself = line === against && points[0].step === end;
  const other = isItself ? undefined : valuesAt(pointsOf(against, end), values);
  if (other && !sameQuestions(own.asked, other.asked)) {
    notes.add(`no difference of ${line.name} to ${against.name} in ${what}: other questions were asked`);
  }
  return spreadOf(own, other);
}

/** A measure over the runs of a line, and its difference to another line where one is given. */
export function spreadOf(own: LineValues, other?: LineValues): Spread {
  const means = own.values.map(mean);
  return {
    mean: mean(means),
    sd: deviation(means),
    difference: other === undefined ? null : crossedDifference(own, other),
  };
}
