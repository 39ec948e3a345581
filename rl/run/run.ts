import { UserError } from "../../gpu/errors.ts";
import { BEST } from "../../model/files/best_checkpoint.ts";
import { isTaken } from "../../model/files/on_disk.ts";
import { writeWhole } from "../../model/files/write_whole.ts";
import { nameOf, newestCheckpoint, pointBest, stepOf } from "./run_checkpoints.ts";
import { readState } from "./run_state.ts";
import { openOwn } from "../../model/files/own_file.ts";
import { readPlainText } from "../../model/files/plain_file.ts";

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
  if (isTaken(folder) && Deno.statSync(folder).isDirectory && [...Deno.readDirSync(folder)].length > 0) {
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

/**
 * Opens a stopped run at its newest whole checkpoint; what was logged after it is cut, to be made again.
 * @throws UserError if the folder holds no run, or its newest checkpoint is damaged
 */
export function reopenRun(folder: string): { run: Run; checkpoint: string | undefined; step: number } {
  refuseNoRun(folder);
  const lock = lockRun(folder);
  Deno.mkdirSync(`${folder}/checkpoints`, { recursive: true });
  for (const { name } of Deno.readDirSync(`${folder}/checkpoints`)) {
    if (name.endsWith(".tmp")) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
  }
  const checkpoint = newestCheckpoint(folder);
  const step = checkpoint ? stepOf(checkpoint) : 0;
  restoreBest(folder, checkpoint ? readState(checkpoint).best?.step : undefined);
  for (const name of ["metrics.jsonl", "samples.jsonl"]) cutLog(`${folder}/${name}`, step);
  return { run: openLogs(folder, lock), checkpoint, step };
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

/** A kill may come between a checkpoint and the file that names it, and the best one may have been removed by hand. */
function restoreBest(folder: string, step: number | undefined): void {
  const name = step === undefined ? undefined : nameOf(step);
  if (name !== undefined && isTaken(`${folder}/checkpoints/${name}`)) pointBest(folder, name);
  else if (isTaken(`${folder}/${BEST}`)) Deno.removeSync(`${folder}/${BEST}`);
}

/** One process at a time writes to a run; the lock is the system's, and goes with the process. */
function lockRun(folder: string): Disposable {
  const file = openOwn(`${folder}/lock`, { write: true });
  if (file.tryLockSync(true)) return file;
  file.close();
  throw new UserError(
    `Cannot train in ${folder}: another process is training in it, one at a time can`,
    "wait for it to end, or stop it with Ctrl-C: it saves first",
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

/** Bytes: a text of V8 has no more characters than about 2^29. */
const MOST_LOG = 500_000_000;

/** Cuts a log after the last whole line of `step` or an earlier one. */
function cutLog(path: string, step: number): void {
  if (!isTaken(path)) return;
  const text = readPlainText(path, MOST_LOG);
  const kept = text.split("\n").slice(0, -1).filter((line) => {
    try {
      return JSON.parse(line).step <= step;
    } catch {
      return false; // a line that was being written when the process was killed
    }
  });
  writeWhole(path, kept.map((line) => line + "\n").join(""));
}
