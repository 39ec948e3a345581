import { join } from "node:path";
import { isGreedy, type Mode } from "../../eval/modes.ts";
import { isFile, isFolder } from "../../model/files/on_disk.ts";
import type { Place, State } from "../../web/data/view_data.ts";
import { reportsIn } from "../eval/reports_in.ts";
import { isLocked } from "./is_locked.ts";
import type { OpenPlace } from "./open_place.ts";

/** What is known of a place by now; the sweep that a run is part of says whether it failed. */
export function describePlace(place: OpenPlace): Place {
  const { found: { id, kind, name, sweep, line, path }, rollouts } = place;
  const kept = rollouts.reduce((sum, { index }) => sum + index.lines, 0);
  const files = [...place.metrics ? [place.metrics] : [], ...rollouts.map(({ index }) => index)];
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const common = {
    ...{ id, kind, name, sweep, line },
    settings: place.settings(),
    updated: Math.max(
      ...WRITTEN[kind].map((name) => writtenAt(join(path, name))),
      ...files.map(({ updated }) => updated),
    ),
    rollouts: kept,
    indexed: files.every((file) => file.complete)
      ? 1
      : Math.min(0.999, files.reduce((sum, { known }) => sum + known, 0) / Math.max(1, bytes)),
    last: {},
    best: null,
  };
  if (kind === "run") return { ...common, ...ofRun(place) };
  return { ...common, ...(kind === "sweep" ? ofSweep(place) : ofEvaluation(place, kept)) };
}

/** Files of a place that are not indexed, and whose writes are told. */
const WRITTEN = {
  run: ["config.toml"],
  evaluation: ["settings.json", "report.json"],
  sweep: ["sweep.json", "comparison.json", "claims.json"],
} as const;

type Told = Pick<Place, "state" | "failure" | "steps" | "ofSteps" | "has"> & Partial<Place>;

function ofRun(place: OpenPlace): Told {
  const { found: { path, root, sweep, name }, metrics, rollouts } = place;
  const last = metrics!.last()?.extra;
  const steps = Math.max(0, last?.last.step ?? 0);
  const asked = place.settings().steps;
  const ofSteps = typeof asked === "number" ? asked : null;
  const failure = sweep === null
    ? null
    : failureOf(place.record(join(path, "..", "..", "jobs", `${name}.json`)));
  return {
    state: stateOf(isLocked(root.path, join(path, "lock")), ofSteps !== null && steps >= ofSteps, failure),
    ...{ failure, steps, ofSteps },
    last: last?.last ?? {},
    best: last?.best ?? null,
    has: {
      mixtures: rollouts.some(({ index }) => index.mark),
      tests: isFile(join(path, "tests.json")) || isFolder(join(path, "evaluations")),
      profile: isFile(join(path, "profile.json")),
      claims: false,
    },
  };
}

function ofEvaluation(place: OpenPlace, kept: number): Told {
  const { found: { path, root }, rollouts } = place;
  const isDone = isFile(join(path, "report.json"));
  return {
    state: stateOf(isLocked(root.path, join(path, "settings.json")), isDone, null),
    ...{ failure: null, steps: kept, ofSteps: isDone ? kept : askedRollouts(place.settings()) },
    settings: evaluationSettings(place.settings(), place.record(join(path, "report.json"))),
    has: {
      mixtures: rollouts.some(({ index }) => index.mark),
      ...{ tests: isDone, profile: false, claims: false },
    },
  };
}

function ofSweep({ found: { path, root }, settings, record }: OpenPlace): Told {
  const runs = Object.keys(Object(settings().runs));
  const jobs = runs.map((name) => record(join(path, "jobs", `${name}.json`)));
  const failed = runs.filter((_, i) => jobs[i]?.failed !== undefined);
  const done = jobs.filter((job) => Object.hasOwn(Object(job?.seconds), "train")).length;
  const failure = failed.length === 0 ? null : `${failed.length} of ${runs.length} runs failed: ${failed[0]}`;
  const isRunning = isLocked(root.path, join(path, "lock"));
  return {
    state: stateOf(isRunning, isFile(join(path, "comparison.json")), failure),
    ...{ failure, steps: done, ofSteps: runs.length },
    has: { mixtures: false, tests: true, profile: false, claims: isFile(join(path, "claims.json")) },
  };
}

const stateOf = (isRunning: boolean, isDone: boolean, failure: string | null): State =>
  isRunning ? "running" : failure !== null ? "failed" : isDone ? "ended" : "stopped";

/** What a sweep says of a run that went wrong. */
function failureOf(job: Record<string, unknown> | undefined): string | null {
  const failed = Object(job?.failed);
  return typeof failed.message === "string" ? failed.message : null;
}

/** With its tasks and its model's name, as a run has them: the file has the model's hash, and the report names it at the end. */
function evaluationSettings(settings: Record<string, unknown>, report: unknown): Record<string, unknown> {
  const { model: hash, ...rest } = settings;
  const [first] = reportsIn(report);
  const name = Object(Object(first).model).name;
  const tasks = Object.keys(settings).flatMap((key) => key.endsWith(" version") ? [key.slice(0, -8)] : []);
  return {
    task: tasks.join(", "),
    ...(typeof name === "string" ? { model: name } : {}),
    ...rest,
    modelHash: hash,
  };
}

/** Rollouts that an evaluation was asked for; null where its settings do not tell. */
function askedRollouts(settings: Record<string, unknown>): number | null {
  const tasks = Object.keys(settings).flatMap((key) => key.endsWith(" modes") ? [key.slice(0, -6)] : []);
  const counts = tasks.map((task) => {
    const [modes, questions, samples = 1] = ["modes", "questions", "samples"].map((key) =>
      settings[`${task} ${key}`]
    );
    if (!Array.isArray(modes) || typeof questions !== "number" || typeof samples !== "number") return NaN;
    return modes.reduce((sum, mode: Mode) => sum + questions * (isGreedy(mode) ? 1 : samples), 0);
  });
  const sum = counts.reduce((total, count) => total + count, 0);
  return tasks.length === 0 || Number.isNaN(sum) ? null : sum;
}

function writtenAt(path: string): number {
  try {
    return Deno.lstatSync(path).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}
