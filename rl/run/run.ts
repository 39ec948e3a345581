import { UserError } from "../../gpu/errors.ts";
import { BEST } from "../../model/files/best_checkpoint.ts";
import { isLeftBehind } from "../../model/files/left_behind.ts";
import { isFolder, isOwnFile, isTaken, linkTarget, namesIn } from "../../model/files/on_disk.ts";
import { writeWhole } from "../../model/files/write_whole.ts";
import { newestWhole } from "./check_checkpoint.ts";
import { type CutLog, cutLog, readLog } from "./cut_log.ts";
import { nameOf, pointBest, stepOf } from "./run_checkpoints.ts";
import type { RunState } from "./run_state.ts";
import { holdLock, openOwn } from "../../model/files/own_file.ts";

/** A run's folder on disk: config.toml, metrics.jsonl, samples.jsonl, checkpoints/, best. */
export interface Run {
  /** Its path. */
  folder: string;
  /** Adds a line to metrics.jsonl. */
  appendMetrics(line: Record<string, unknown>): void;
  /** Adds a line to samples.jsonl. */
  appendSample(line: Record<string, unknown>): void;
  /** Closes the files, and lets other processes have the run. */
  close(): void;
}

/**
 * Makes a new run's folder.
 * @throws UserError if it holds a run already, or cannot be written to
 */
export function createRun(folder: string, configToml: string): Run {
  if (isTaken(`${folder}/config.toml`)) {
    throw new UserError(
      `Cannot start a run in ${folder}: it holds one already, an empty or new folder is needed`,
      `go on with it by --resume --out ${folder}, or name another folder with --out`,
    );
  }
  if (isFolder(folder) && !isBare(folder)) {
    throw new UserError(
      `Cannot start a run in ${folder}: it holds other files, an empty or new folder is needed`,
      "name another folder with --out",
    );
  }
  try {
    Deno.mkdirSync(`${folder}/checkpoints`, { recursive: true });
    writeWhole(`${folder}/config.toml`, configToml);
    return openLogs(folder, lockRun(folder));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `Cannot write to ${folder}: ${(error as Error).message}, a writable folder is needed`,
    );
  }
}

/** Whether a folder holds nothing but what a process left that was killed while it began a run there. */
export function isBare(folder: string): boolean {
  const isOurs = (name: string) =>
    name === "checkpoints" ? namesIn(`${folder}/${name}`).length === 0 : isLeftBehind(name, "config.toml");
  return namesIn(folder).every(isOurs);
}

/** A stopped run that is to go on. */
export interface Reopened {
  /** Its folder, open. */
  run: Run;
  /** Its newest whole checkpoint; none where the run was stopped before its first. */
  checkpoint: string | undefined;
  /** What that holds, its files having been held against their hashes. */
  state: RunState | undefined;
  /** Updates done. */
  step: number;
  /** What is not as it should be, and was passed over: people want to know. */
  notes: string[];
}

/**
 * Opens a stopped run at its newest whole checkpoint; what was logged after it is cut, to be made again. Damaged newer ones are set
 * aside, renamed.
 * @param saveEvery updates between checkpoints: a run that logged more had one
 * @param keepsSamples whether it keeps rollouts, of its first update at least
 * @throws UserError if the folder holds no run, or no whole checkpoint though it had one
 */
export function reopenRun(folder: string, saveEvery = Infinity, keepsSamples = false): Reopened {
  refuseNoRun(folder);
  refuseOddFiles(folder);
  const lock = lockRun(folder);
  try {
    for (const name of namesIn(`${folder}/checkpoints`)) {
      if (name.endsWith(".tmp")) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
    }
    // What a process that was killed served to workers.
    for (const name of namesIn(folder).filter((name) => /^served-\d+$/.test(name))) {
      Deno.removeSync(`${folder}/${name}`, { recursive: true });
    }
    const { checkpoint, state, passedOver } = newestWhole(folder);
    const step = checkpoint ? stepOf(checkpoint) : 0;
    if (step === 0) refuseLost(folder, saveEvery);
    Deno.mkdirSync(`${folder}/checkpoints`, { recursive: true });
    restoreBest(folder, state?.best?.step);
    const notes = passedOver.map(({ folder, error }) => `${error.message}; it is ${setAside(folder)} now`);
    for (const name of LOGS) {
      const log = cutLog(`${folder}/${name}`, step);
      notes.push(...whatIsMissing(name, log, step));
      if (name === "samples.jsonl" && keepsSamples && step > 0 && log.steps.length === 0) {
        notes.push(`${name} has no rollout of ${step} updates: they cannot be kept again`);
      }
    }
    return { run: openLogs(folder, lock), checkpoint, state, step, notes };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Without its checkpoints a run would begin anew over the lines of its updates. The line of an update stands before its checkpoint does. */
function refuseLost(folder: string, saveEvery: number): void {
  const { last } = readLog(`${folder}/metrics.jsonl`);
  if (last <= saveEvery) return;
  throw new UserError(
    `Cannot resume ${folder}: its metrics go to step ${last}, but it has no checkpoint, one is needed`,
    "put a checkpoint back, or start a new run in another folder",
  );
}

/** Renames a checkpoint's folder, so that it counts no more. */
function setAside(folder: string): string {
  let name = `${folder}.damaged`;
  for (let n = 2; isTaken(name); n++) name = `${folder}.damaged-${n}`;
  Deno.renameSync(folder, name);
  return name;
}

function whatIsMissing(name: string, { steps, damaged }: CutLog, step: number): string[] {
  const there = new Set(steps);
  const twice = name === "metrics.jsonl" ? steps.length - there.size : 0;
  const missing = name === "metrics.jsonl"
    ? Array.from({ length: step }, (_, i) => i + 1).filter((one) => !there.has(one))
    : [];
  return [
    ...(damaged > 0 ? [`${name} had ${damaged} lines that cannot be read: they are left out`] : []),
    ...(twice > 0 ? [`${name} has ${twice} lines more than updates: some are there twice`] : []),
    ...(missing.length > 0
      ? [
        `${name} has no line of ${missing.length} of ${step} updates, the first is step ${
          missing[0]
        }: they cannot be made again`,
      ]
      : []),
  ];
}

/**
 * Looks for a run.
 * @throws UserError if the folder holds none
 */
export function refuseNoRun(folder: string): void {
  if (isTaken(`${folder}/config.toml`)) return;
  throw new UserError(
    `Cannot resume ${folder}: it holds no run (no config.toml)`,
    "start one without --resume",
  );
}

/** What lines are added to, and what is written anew: a folder in its place would end the run when that is due. */
const LOGS = ["metrics.jsonl", "samples.jsonl"];
const REPLACED = [BEST, "tests.json", "shape.json", "validation.json", "profile.json"];

/** Finds out, before anything is changed, whether a run's own files are such that it can go on with them. */
function refuseOddFiles(folder: string): void {
  const refuse = (name: string, what: string) => {
    throw new UserError(
      `Cannot resume ${folder}: ${name}: ${what}`,
      "put what the run had there in its place, or remove it",
    );
  };
  for (const name of [...LOGS, "lock"]) {
    if (!isTaken(`${folder}/${name}`)) continue;
    try {
      openOwn(`${folder}/${name}`, { read: true, append: true }).close();
    } catch (error) {
      if (error instanceof UserError) throw error;
      refuse(name, `${(error as Error).message}, a file that may be read and written is needed`);
    }
  }
  for (const name of REPLACED) {
    const path = `${folder}/${name}`;
    if (isTaken(path) && !isOwnFile(path) && linkTarget(path) === undefined) {
      refuse(name, "it is no file, one is needed");
    }
  }
  if (isTaken(`${folder}/checkpoints`) && !isFolder(`${folder}/checkpoints`)) {
    refuse("checkpoints", "it is no folder, one is needed");
  }
}

/** A kill may come between a checkpoint and the file that names it, and the best one may have been removed by hand. */
function restoreBest(folder: string, step: number | undefined): void {
  const name = step === undefined ? undefined : nameOf(step);
  if (name !== undefined && isTaken(`${folder}/checkpoints/${name}`)) pointBest(folder, name);
  else if (isTaken(`${folder}/${BEST}`)) Deno.removeSync(`${folder}/${BEST}`);
}

/** One process at a time writes to a run. */
function lockRun(folder: string): Disposable {
  let file: Deno.FsFile;
  try {
    file = openOwn(`${folder}/lock`, { write: true });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `Cannot train in ${folder}: ${(error as Error).message}, a writable folder is needed`,
    );
  }
  return holdLock(
    file,
    new UserError(
      `Cannot train in ${folder}: another process is training in it, one at a time can`,
      "wait for it to end, or stop it with Ctrl-C: it saves first",
    ),
  );
}

function openLogs(folder: string, lock: Disposable): Run {
  const encoder = new TextEncoder();
  const openLog = (name: string) => {
    const file = openOwn(`${folder}/${name}`, { append: true });
    const append = (line: Record<string, unknown>) => {
      const bytes = encoder.encode(JSON.stringify(line) + "\n");
      try {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      } catch (error) {
        throw new UserError(
          `Cannot write ${folder}/${name}: ${(error as Error).message}`,
          `make room, then --resume --out ${folder}`,
        );
      }
    };
    return { append, close: () => file.close() };
  };
  const metrics = openLog("metrics.jsonl");
  const samples = openLog("samples.jsonl");
  return {
    folder,
    appendMetrics: metrics.append,
    appendSample: samples.append,
    close() {
      metrics.close();
      samples.close();
      lock[Symbol.dispose]();
    },
  };
}
