import { UserError } from "../../gpu/errors.ts";
import { isTaken, namesIn } from "../../model/files/on_disk.ts";
import { holdLock, openOwn } from "../../model/files/own_file.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import {
  type Named,
  type PlannedEvaluation,
  type PlannedRun,
  type SweepPlan,
  untrainedOf,
} from "./sweep_plan.ts";

/**
 * Where a sweep keeps everything:
 *
 *     sweep.json           the plan
 *     base/                the model that it made itself
 *     untrained/           evaluations of the model that runs start from
 *     runs/NAME/           each run as softcot train leaves it, and evaluations/step-000100/NAME.json
 *     settings/, logs/     what each run was told, and what it said
 *     jobs/NAME.json       what took how long, and what failed
 *     comparison.json      the table, once all has ended
 */
export interface SweepFolder extends Disposable {
  readonly path: string;
}

/** How far the processes of one run have come: kept in jobs/NAME.json. */
export interface JobRecord {
  /** Seconds of each that ended well; null where it was interrupted on the way. */
  seconds: Record<string, number | null>;
  /** What went wrong; the next sweep tries again. */
  failed?: { what: string; status: number; message: string };
}

const PLAN = "sweep.json";

/** The part of a plan that decides results; runs by name. */
interface KeptPlan {
  base: Named | null;
  evaluations: PlannedEvaluation[];
  runs: Record<string, Named>;
  lines: Record<string, string>;
}

/**
 * Opens a sweep's folder, or makes it. One with this plan is gone on with; a plan may have grown by runs.
 *
 * @throws UserError if it holds other things or another plan, naming what differs, or another process is at work in it
 */
export function openSweep(path: string, plan: SweepPlan): SweepFolder {
  const kept = readPlan(path);
  if (!kept && namesIn(path).length > 0) {
    throw new UserError(
      `Cannot keep a sweep in ${path}: it holds other things (${
        namesIn(path).sort().slice(0, 3).join(", ")
      })`,
      "choose another folder with --out",
    );
  }
  try {
    for (const inner of ["settings", "logs", "runs", "jobs"]) {
      Deno.mkdirSync(`${path}/${inner}`, { recursive: true });
    }
  } catch (error) {
    throw new UserError(`Cannot keep a sweep in ${path}: ${(error as Error).message}`);
  }
  const lock = holdLock(
    openOwn(`${path}/lock`, { write: true }),
    new UserError(
      `Cannot go on in ${path}: another sweep is at work there`,
      "wait for its end, or choose another folder with --out",
    ),
  );
  try {
    const asked = asKept(path, plan);
    if (kept) {
      compare(path, kept, asked);
      refuseOtherOrder(path, kept, plan);
    }
    writeJson(`${path}/${PLAN}`, asked);
  } catch (error) {
    lock.close();
    throw error;
  }
  return { path, [Symbol.dispose]: () => lock.close() };
}

/** The lines of a sweep's runs by their names; undefined if the folder is no sweep's. */
export function linesOfSweep(path: string): Record<string, string> | undefined {
  return readPlan(path)?.lines;
}

/** What is known of a run's processes. */
export function readJob(path: string, name: string): JobRecord {
  const file = `${path}/jobs/${name}.json`;
  return isTaken(file) ? JSON.parse(readPlainText(file)) : { seconds: {} };
}

/** Keeps what is known of a run's processes. */
export function writeJob(path: string, name: string, record: JobRecord): void {
  writeJson(`${path}/jobs/${name}.json`, record);
}

/** The folder may be moved: its own model is told apart by no path. */
function asKept(path: string, { base, evaluations, runs }: SweepPlan): KeptPlan {
  const byName = <T>(value: (run: PlannedRun) => T) =>
    Object.fromEntries(runs.map((run) => [run.name, value(run)]));
  return {
    base: base ?? null,
    evaluations,
    runs: byName(({ settings }) =>
      settings.model === `${path}/base` ? { ...settings, model: "its own" } : settings
    ),
    lines: byName(({ line }) => line),
  };
}

function readPlan(path: string): KeptPlan | undefined {
  if (!isTaken(`${path}/${PLAN}`)) return undefined;
  try {
    return JSON.parse(readPlainText(`${path}/${PLAN}`));
  } catch {
    throw new UserError(
      `Cannot go on in ${path}: its ${PLAN} is damaged`,
      "choose another folder with --out",
    );
  }
}

function compare(path: string, kept: KeptPlan, asked: KeptPlan): void {
  const different = (["base", "evaluations"] as const)
    .filter((part) => !same(kept[part], asked[part])).map((part) => `another ${part}`);
  for (const [name, settings] of Object.entries(kept.runs)) {
    if (!(name in asked.runs)) different.push(`a run ${name}`);
    else if (!same(settings, asked.runs[name])) different.push(`other settings of run ${name}`);
  }
  if (different.length === 0) return;
  throw new UserError(
    `Cannot go on in ${path}: it was begun with ${different.slice(0, 3).join(", ")}` +
      (different.length > 3 ? `, and ${different.length - 3} more` : ""),
    "give the file as it was (runs may be added), or choose another folder with --out",
  );
}

/** What was measured of an untrained model lies in a folder named after its place among them. */
function refuseOtherOrder(path: string, { runs }: KeptPlan, plan: SweepPlan): void {
  const before = Object.keys(runs).map((name) => plan.runs.find((run) => run.name === name)!);
  const kept = untrainedOf({ ...plan, runs: before });
  const now = untrainedOf(plan);
  const moved = kept.findIndex(({ model }, i) => now[i].model !== model);
  if (moved < 0) return;
  throw new UserError(
    `Cannot go on in ${path}: ${now[moved].model} stands before ${kept[moved].model} now, of which ${
      kept[moved].name
    }/ is`,
    "name models that are added after the others, or choose another folder with --out",
  );
}

/** As it will be once it is written; keys in whatever order. */
const same = (a: unknown, b: unknown): boolean => sorted(a) === sorted(b);

function sorted(value: unknown): string {
  return JSON.stringify(
    value,
    (_, one) =>
      typeof one === "object" && one !== null && !Array.isArray(one)
        ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => a < b ? -1 : 1))
        : one,
  );
}
