import { UserError } from "../gpu/errors.ts";
import { openSafetensors } from "../model/formats/safetensors.ts";
import { syncFolder } from "../model/formats/safetensors_writer.ts";
import { readAdapter, saveAdapter } from "../model/adapter_files.ts";
import { type LoadedModel, readParams, saveModel, writeParams, writeWhole } from "../model/checkpoint.ts";
import type { Trainable } from "../model/params.ts";
import type { Model } from "../model/transformer.ts";
import type { Trainer } from "./train_step.ts";

/** What a checkpoint keeps beside weights and moments. */
export interface RunState {
  /** Updates done. */
  step: number;
  /** The best validation so far; null before the first. */
  best: { step: number; accuracy: number } | null;
  /** RMS(E) of the base model: the unit of the noise never drifts. */
  embeddingRms: number;
  /** Ids of the forced strings, tokenised once. */
  forcedIds: Record<string, readonly number[]>;
  /** The kernels whose bits a resumed run must repeat. */
  kernels: { adapter: string; matmulFamily: string; subgroupSize: number };
}

/** A run's folder on disk: config.toml, metrics.jsonl, samples.jsonl, checkpoints/, best. */
export interface Run {
  /** Its path. */
  folder: string;
  /** Adds a line to metrics.jsonl. */
  appendMetrics(line: Record<string, unknown>): void;
  /** Adds a line to samples.jsonl. */
  appendSample(line: Record<string, unknown>): void;
  /** Closes both files. */
  close(): void;
}

/**
 * Makes a new run's folder.
 * @throws UserError if it holds a run already, or cannot be written to
 */
export function createRun(folder: string, configToml: string): Run {
  if (exists(`${folder}/config.toml`)) {
    throw new UserError(
      `Cannot start a run in ${folder}: it holds one already, an empty or new folder is needed`,
      `go on with it by --resume --out ${folder}, or name another folder with --out`,
    );
  }
  if (exists(folder) && Deno.statSync(folder).isDirectory && [...Deno.readDirSync(folder)].length > 0) {
    throw new UserError(
      `Cannot start a run in ${folder}: it holds other files, an empty or new folder is needed`,
      "name another folder with --out",
    );
  }
  try {
    Deno.mkdirSync(`${folder}/checkpoints`, { recursive: true });
    writeWhole(`${folder}/config.toml`, configToml);
    return openLogs(folder);
  } catch (error) {
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
  Deno.mkdirSync(`${folder}/checkpoints`, { recursive: true });
  for (const { name } of Deno.readDirSync(`${folder}/checkpoints`)) {
    if (name.endsWith(".tmp")) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
  }
  const checkpoint = newestCheckpoint(folder);
  const step = checkpoint ? stepOf(checkpoint) : 0;
  restoreBest(folder, checkpoint ? readState(checkpoint).best?.step : undefined);
  for (const name of ["metrics.jsonl", "samples.jsonl"]) cutLog(`${folder}/${name}`, step);
  return { run: openLogs(folder), checkpoint, step };
}

/**
 * Looks for a run.
 * @throws UserError if the folder holds none
 */
export function refuseNoRun(folder: string): void {
  if (exists(`${folder}/config.toml`)) return;
  throw new UserError(
    `Cannot resume ${folder}: it holds no run (no config.toml)`,
    "start one without --resume",
  );
}

/** The newest checkpoint of a run's folder, if there is one. */
export function newestCheckpoint(folder: string): string | undefined {
  const newest = checkpointNames(folder).at(-1);
  return newest && `${folder}/checkpoints/${newest}`;
}

/** Names of a run's checkpoints, oldest first. */
function checkpointNames(folder: string): string[] {
  return [...Deno.readDirSync(`${folder}/checkpoints`)].map((entry) => entry.name)
    .filter((name) => /^step-\d{6,}$/.test(name)).sort((a, b) => stepOf(a) - stepOf(b));
}

const nameOf = (step: number): string => `step-${String(step).padStart(6, "0")}`;
const stepOf = (path: string): number => Number(/step-(\d+)$/.exec(path)?.[1]);

/**
 * Writes a checkpoint that is whole or absent, and removes the oldest ones but `keep` and the best.
 * The folder is a Hugging Face model, or an adapter in PEFT's form, with the moments beside it.
 * @throws UserError if the disk refuses; the checkpoints before stay as they are
 */
export async function saveCheckpoint(
  run: Run,
  trainer: Trainer,
  state: RunState,
  keep: number,
): Promise<string> {
  const name = nameOf(state.step);
  const folder = `${run.folder}/checkpoints/${name}`;
  const beside = `${folder}.tmp`;
  try {
    await writeCheckpoint(run, trainer, state, beside);
    if (exists(folder)) Deno.removeSync(folder, { recursive: true });
    Deno.renameSync(beside, folder);
    syncFolder(`${run.folder}/checkpoints`);
    if (state.best?.step === state.step) pointBest(run.folder, name);
  } catch (error) {
    // A full disk should not stay full of half a checkpoint.
    if (exists(beside)) Deno.removeSync(beside, { recursive: true });
    throw refusedByDisk(error, run.folder, state.step);
  }
  prune(run.folder, keep, state.best?.step);
  return folder;
}

async function writeCheckpoint(run: Run, trainer: Trainer, state: RunState, beside: string): Promise<void> {
  const { model, tokenizer, optimizer } = trainer;
  const loaded: LoadedModel = { model, tokenizer, source: run.folder };
  const extras = { embeddingRms: state.embeddingRms };
  if (model.adapter) await saveAdapter(model, beside, extras);
  else await saveModel(loaded, beside, "F32", extras);
  const moments = [{ prefix: "first.", params: optimizer.first }, {
    prefix: "second.",
    params: optimizer.second,
  }];
  await writeParams(model.gpu, model.config, moments, `${beside}/optimizer.safetensors`, "F32");
  writeWhole(`${beside}/state.json`, JSON.stringify(state, null, 2) + "\n");
  syncFolder(beside);
}

/** What refused to be written, and how to go on; errors that are not the disk's stay as they are. */
function refusedByDisk(error: unknown, folder: string, step: number): unknown {
  const isDisk = error instanceof UserError || typeof (error as { code?: unknown }).code === "string";
  if (!isDisk) return error;
  const cause = (error as Error).message.replace(/^Cannot /, "cannot ");
  return new UserError(
    `Cannot save step ${step}: ${cause}`,
    `the checkpoints before it are whole: make room, then --resume --out ${folder}`,
  );
}

/**
 * Loads weights, moments and state of a checkpoint into a trainer.
 * @throws UserError if any of its files is missing, damaged, or does not fit the model
 */
export function loadCheckpoint(folder: string, trainer: Trainer): RunState {
  const state = readState(folder);
  const { model, optimizer } = trainer;
  const moments = [[optimizer.first, "first."], [optimizer.second, "second."]] as const;
  try {
    loadTrained(folder, model);
    readSets(model, `${folder}/optimizer.safetensors`, moments, folder);
  } catch (error) {
    throw error instanceof UserError ? new UserError(error.message, OLDER) : error;
  }
  return state;
}

/**
 * Loads what a checkpoint has trained, all weights or those of the adapter, into a model of that form.
 * @throws UserError if the file is missing, damaged, or does not fit the model
 */
export function loadTrained(folder: string, model: Model): void {
  if (model.adapter) readAdapter(model.gpu, model.config, model.adapter, folder);
  else readSets(model, `${folder}/model.safetensors`, [[model.params, ""]], folder);
}

function readSets(
  { gpu, config }: Model,
  path: string,
  sets: readonly (readonly [Trainable, prefix: string])[],
  folder: string,
): void {
  const file = openSafetensors(path);
  try {
    for (const [set, prefix] of sets) readParams(gpu, config, file, set, folder, prefix);
  } finally {
    file.close();
  }
}

const OLDER = "remove this checkpoint's folder to resume from an older one";

/**
 * The state of a checkpoint.
 * @throws UserError if it cannot be read or is not that of this checkpoint
 */
export function readState(folder: string): RunState {
  const damaged = (what: string) =>
    new UserError(`Cannot resume from ${folder}: state.json: ${what}, a whole checkpoint is needed`, OLDER);
  let state: RunState | null;
  try {
    state = JSON.parse(Deno.readTextFileSync(`${folder}/state.json`));
  } catch (error) {
    throw damaged((error as Error).message);
  }
  if (state?.step !== stepOf(folder)) throw damaged(`step ${state?.step} in the folder of another`);
  return state;
}

/** A kill may come between a checkpoint and the link to it, and the best one may have been removed by hand. */
function restoreBest(folder: string, step: number | undefined): void {
  const name = step === undefined ? undefined : nameOf(step);
  if (name !== undefined && exists(`${folder}/checkpoints/${name}`)) pointBest(folder, name);
  else if (exists(`${folder}/best`)) Deno.removeSync(`${folder}/best`);
}

function pointBest(folder: string, name: string): void {
  const beside = `${folder}/best.tmp`;
  if (exists(beside)) Deno.removeSync(beside);
  Deno.symlinkSync(`checkpoints/${name}`, beside);
  Deno.renameSync(beside, `${folder}/best`);
}

function prune(folder: string, keep: number, best: number | undefined): void {
  for (const name of checkpointNames(folder).slice(0, -keep)) {
    if (stepOf(name) !== best) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
  }
}

function openLogs(folder: string): Run {
  const encoder = new TextEncoder();
  const openLog = (name: string) => {
    const file = Deno.openSync(`${folder}/${name}`, { append: true, create: true });
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
    },
  };
}

/** Cuts a log after the last whole line of `step` or an earlier one. */
function cutLog(path: string, step: number): void {
  if (!exists(path)) return;
  const text = Deno.readTextFileSync(path);
  const kept = text.split("\n").slice(0, -1).filter((line) => {
    try {
      return JSON.parse(line).step <= step;
    } catch {
      return false; // a line that was being written when the process was killed
    }
  });
  writeWhole(path, kept.map((line) => line + "\n").join(""));
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
