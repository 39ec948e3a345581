import { counted } from "../terminal/counted.ts";
import { duration } from "../terminal/duration.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";
import { shown } from "../settings/shown.ts";
import type { Forecast } from "./forecast.ts";
import type { Job } from "./jobs_of.ts";
import { readJob } from "./sweep_folder.ts";

/** A job as a dry run tells it. */
export interface JobState {
  name: string;
  line: string;
  state: "done" | "begun" | "to do" | "failed";
  /** Processes of it that are done, and all. */
  done: number;
  parts: number;
  /** What the file says of it. */
  settings: Record<string, unknown>;
  /** Of what is left; null where nothing tells. */
  seconds: number | null;
}

/** How far every job is. */
export function jobStates(folder: string, jobs: readonly Job[], { jobs: seconds }: Forecast): JobState[] {
  return jobs.map(({ name, line, run, parts }) => {
    const done = parts.filter(({ isDone }) => isDone).length;
    const failed = readJob(folder, name).failed !== undefined;
    const state = done === parts.length ? "done" : failed ? "failed" : done > 0 ? "begun" : "to do";
    const settings = run?.settings ?? {};
    return { name, line, state, done, parts: parts.length, settings, seconds: seconds[name] };
  });
}

/** What would be run, as people read it. */
export function describePlan(states: readonly JobState[], forecast: Forecast, atOnce: number): string {
  const same = (key: string) =>
    states.filter(({ settings }) => Object.keys(settings).length > 0)
      .every(({ settings }, _, all) => shown(settings[key]) === shown(all[0].settings[key]));
  const rows = states.map(({ name, state, done, parts, seconds, settings }) => [
    name,
    state,
    `${done}/${parts}`,
    seconds === null ? "?" : seconds === 0 ? "-" : duration(seconds),
    Object.entries(settings).filter(([key]) => !same(key)).map(([key, value]) => `${key} ${shown(value)}`)
      .join(", "),
  ]);
  const left = states.filter(({ state }) => state !== "done").length;
  return [
    table(rows, {
      header: ["job", "state", "parts", "left", "its settings"],
      align: ["left", "left", "right", "right", "left"],
    }),
    `${counted(left, "job")} to do, ${atOnce} at a time: ${
      forecast.seconds === null ? "nothing tells yet how long" : `about ${duration(forecast.seconds)}`
    }${told(forecast.bytes, "memory")}${told(forecast.deviceBytes, "device memory")}`,
  ].join("\n\n");
}

const told = (bytes: number | null, what: string): string =>
  bytes === null ? "" : `, ${inBytes(bytes)} of ${what}`;
