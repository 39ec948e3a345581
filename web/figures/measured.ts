import type { MeasuredMode, Tables } from "../data/view_data.ts";

/** What was measured of a model: of one line after so many updates, over its seeds. */
export interface Column {
  /** For people: `soft after 100`, `before training`. */
  name: string;
  line: string;
  step: number | null;
  when: MeasuredMode["when"];
}

/** A mean, and how sure it is. */
export interface Mean {
  value: number;
  /** Standard deviation over seeds, or the standard error over questions of a single run. */
  error: number;
  /** Runs it is taken over. */
  runs: number;
}

/** Names of tasks, in their order. */
export const tasksOf = ({ measured }: Tables): string[] => [...new Set(measured.map(({ task }) => task))];

/** Names of modes of a task, in their order. */
export function modesOf({ measured }: Tables, task: string): string[] {
  return [...new Set(measured.filter((one) => one.task === task).map(({ mode }) => mode))];
}

/** Models that were measured on a task, earliest first within their line. */
export function columnsOf({ measured }: Tables, task: string): Column[] {
  const own = measured.filter((one) => one.task === task);
  const lines = [...new Set(own.map(({ line }) => line))];
  const groups = Map.groupBy(own, ({ line, step, when }) => JSON.stringify([line, step, when]));
  return [...groups.values()].map(([{ line, step, when }]) => ({
    name: nameOf(line, step, when, lines),
    line,
    step,
    when,
  }));
}

function nameOf(line: string, step: number | null, when: Column["when"], lines: readonly string[]): string {
  const of = lines.length > 1 ? `${line} ` : "";
  if (when === "before") return lines.length > 1 ? line : "before";
  if (when === "evaluation") return line;
  if (when === "after") return lines.length > 1 ? line : `after ${step ?? ""}`.trim();
  return `${of}${when === "best" ? "best" : "at"} ${step ?? ""}`.trim();
}

/** What was measured of a model in a mode, one for each run. */
export function measuredIn(
  { measured }: Tables,
  task: string,
  mode: string,
  { line, step, when }: Omit<Column, "name">,
): MeasuredMode[] {
  return measured.filter((one) =>
    one.task === task && one.mode === mode && one.line === line && one.step === step && one.when === when
  );
}

/** The mean over runs. Of several the error is their standard deviation, of one its own. */
export function meanOf(values: readonly { value: number; standardError: number }[]): Mean | null {
  if (values.length === 0) return null;
  const value = values.reduce((sum, one) => sum + one.value, 0) / values.length;
  if (values.length === 1) return { value, error: values[0].standardError, runs: 1 };
  const squares = values.reduce((sum, one) => sum + (one.value - value) ** 2, 0);
  return { value, error: Math.sqrt(squares / (values.length - 1)), runs: values.length };
}

/** pass@k of several runs. */
export function passMean(measured: readonly MeasuredMode[], k: number): Mean | null {
  const found = measured.flatMap(({ passAt }) => passAt.filter((one) => one.k === k));
  return found.length === measured.length ? meanOf(found) : null;
}

/** The largest k of a mode that all models have; 1 of greedy ones. */
export function mostSamples({ measured }: Tables, task: string, mode: string): number {
  const own = measured.filter((one) => one.task === task && one.mode === mode);
  return Math.min(...own.map(({ passAt }) => Math.max(1, ...passAt.map(({ k }) => k))));
}

/** The models between which training lies: the first and last of each line, without what is between. */
export function endsOf(columns: readonly Column[]): Column[] {
  const ends = columns.filter(({ when }) => when !== "checkpoint");
  const lines = [...new Set(ends.map(({ line }) => line))];
  return lines.flatMap((line) =>
    ends.filter((one) => one.line === line).toSorted((a, b) => (a.step ?? 0) - (b.step ?? 0))
  );
}
