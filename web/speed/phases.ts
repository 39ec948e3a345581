import type { Columns } from "../data/view_data.ts";

/** A phase of an update with its seconds by update; null where a line lacks it. */
export interface Phase {
  name: string;
  seconds: (number | null)[];
}

/** Phases in their order, as metrics.jsonl has them under `time`. */
const NAMES: readonly (readonly [key: string, name: string])[] = [
  ["time.rollout", "rollouts"],
  ["time.grade", "grading"],
  ["time.update", "gradient and optimizer"],
  ["time.diagnosis", "diagnosis"],
  ["time.samples", "samples kept"],
];

/** Columns of the metrics that the view of speed asks for. */
export const SPEED_KEYS = [
  "step",
  "time.step",
  ...NAMES.map(([key]) => key),
  "time.rollout_tokens_per_second",
  "time.update_gflops",
  "time.process_peak_bytes",
  "time.device_peak_bytes",
  "time.workers.",
  "time.learners.",
];

/** Where the time of each update went: the phases that were measured, and what is left of the whole. */
export function phasesOf(columns: Columns): Phase[] {
  const phases = NAMES.filter(([key]) => columns[key]?.some((seconds) => seconds !== null && seconds > 0))
    .map(([key, name]) => ({ name, seconds: columns[key] }));
  const whole = columns["time.step"];
  if (!whole || phases.length === 0) return phases;
  const rest = whole.map((seconds, i) =>
    seconds === null
      ? null
      : Math.max(0, seconds - phases.reduce((sum, phase) => sum + (phase.seconds[i] ?? 0), 0))
  );
  return [...phases, { name: "the rest", seconds: rest }];
}

/** Mean of the numbers that are there; null of none. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const there = values.filter((value) => value !== null);
  return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
}

/** The last number there is; null of none. */
export const lastOf = (values: readonly (number | null)[] = []): number | null =>
  values.findLast((value) => value !== null) ?? null;

/** Mean seconds an update of a phase; updates that lack it, such as those that keep no samples, count as none. */
export const meanSeconds = ({ seconds }: Phase): number =>
  seconds.reduce((sum: number, one) => sum + (one ?? 0), 0) / Math.max(1, seconds.length);
