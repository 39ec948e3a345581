import { isFile } from "../../model/files/on_disk.ts";
import { jsonLinesOf } from "../compare/json_lines_of.ts";
import type { Job, JobPart } from "./jobs_of.ts";
import { readJob } from "./sweep_folder.ts";

/** What is left of a sweep, as far as what is done tells. */
export interface Forecast {
  /** Of all that is left, so many at a time; null before anything is done. */
  seconds: number | null;
  /** Of each job: what is left of it. */
  jobs: Record<string, number | null>;
  /** The most bytes that trainings at work together will hold, by the largest so far; null where none is left, or none is done. */
  bytes: number | null;
  /** The same of the device's memory. */
  deviceBytes: number | null;
}

/** Seconds of a unit of work. */
interface Speed {
  line: string;
  kind: string;
  each: number;
}

/**
 * Time and memory of what is left. A part takes as long as those of its kind in its own line took, else as those of all lines, by the
 * rollouts in it.
 */
export function forecast(folder: string, jobs: readonly Job[], atOnce: number): Forecast {
  const speeds = jobs.flatMap(({ name, line, parts }): Speed[] => {
    const { seconds } = readJob(folder, name);
    return parts.flatMap(({ name, kind, work }) => {
      const taken = seconds[name];
      return typeof taken === "number" ? [{ line, kind, each: taken / work }] : [];
    });
  });
  const left = jobs.map((job) => ({
    name: job.name,
    seconds: total(
      job.parts.filter(({ isDone }) => !isDone).map((part) => secondsOf(part, job.line, speeds)),
    ),
  }));
  return {
    seconds: makespan(left.map(({ seconds }) => seconds), atOnce),
    jobs: Object.fromEntries(left.map(({ name, seconds }) => [name, seconds])),
    ...largest(folder, jobs, atOnce),
  };
}

function secondsOf({ kind, work }: JobPart, line: string, speeds: readonly Speed[]): number | null {
  const ofKind = speeds.filter((speed) => speed.kind === kind);
  const own = ofKind.filter((speed) => speed.line === line);
  const each = mean((own.length > 0 ? own : ofKind).map((speed) => speed.each));
  return each === null ? null : each * work;
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const total = (values: readonly (number | null)[]): number | null =>
  values.reduce((sum: number | null, value) => sum === null || value === null ? null : sum + value, 0);

/** The end of the last job where each begins as soon as one of so many places is free. */
function makespan(seconds: readonly (number | null)[], atOnce: number): number | null {
  const ends: number[] = Array(atOnce).fill(0);
  for (const one of seconds) {
    if (one === null) return null;
    const first = ends.indexOf(Math.min(...ends));
    ends[first] += one;
  }
  return Math.max(...ends);
}

/** By what is done: each process may hold as much as the largest so far. */
function largest(
  folder: string,
  jobs: readonly Job[],
  atOnce: number,
): Pick<Forecast, "bytes" | "deviceBytes"> {
  const together = Math.min(atOnce, jobs.filter(({ parts }) => parts.some(({ isDone }) => !isDone)).length);
  const times = jobs.flatMap(({ name }) => {
    const path = `${folder}/runs/${name}/metrics.jsonl`;
    return (isFile(path) ? jsonLinesOf(path).at(-1)?.time : undefined) ?? [];
  });
  const most = (key: "process_peak_bytes" | "device_peak_bytes") => {
    const peaks = times.map((time) => time[key]).filter((peak) => typeof peak === "number");
    return peaks.length === 0 || together === 0 ? null : Math.max(...peaks) * together;
  };
  return { bytes: most("process_peak_bytes"), deviceBytes: most("device_peak_bytes") };
}
