import { UserError } from "../gpu/errors.ts";
import { openSafetensors } from "../model/formats/safetensors.ts";
import { syncFolder } from "../model/formats/safetensors_writer.ts";
import { type LoadedModel, readParams, saveModel, writeParams, writeWhole } from "../model/checkpoint.ts";
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
  folder: string;
  appendMetrics(line: Record<string, unknown>): void;
  appendSample(line: Record<string, unknown>): void;
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

/** Opens a stopped run at its newest whole checkpoint; what was logged after it is cut, to be made again. */
export function reopenRun(folder: string): { run: Run; checkpoint: string | undefined; step: number } {
  if (!exists(`${folder}/config.toml`)) {
    throw new UserError(
      `Cannot resume ${folder}: it holds no run (no config.toml)`,
      "start one without --resume",
    );
  }
  Deno.mkdirSync(`${folder}/checkpoints`, { recursive: true });
  for (const { name } of Deno.readDirSync(`${folder}/checkpoints`)) {
    if (name.endsWith(".tmp")) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
  }
  const checkpoint = newestCheckpoint(folder);
  const step = checkpoint ? stepOf(checkpoint) : 0;
  for (const name of ["metrics.jsonl", "samples.jsonl"]) cutLog(`${folder}/${name}`, step);
  return { run: openLogs(folder), checkpoint, step };
}

/** The newest checkpoint of a run's folder, if there is one. */
export function newestCheckpoint(folder: string): string | undefined {
  const names = [...Deno.readDirSync(`${folder}/checkpoints`)].map((entry) => entry.name)
    .filter((name) => /^step-\d{6,}$/.test(name)).sort((a, b) => stepOf(a) - stepOf(b));
  return names.length === 0 ? undefined : `${folder}/checkpoints/${names.at(-1)}`;
}

const stepOf = (path: string): number => Number(/step-(\d+)$/.exec(path)?.[1]);

/**
 * Writes a checkpoint that is whole or absent, and removes the oldest ones but `keep` and the best.
 * The folder is a Hugging Face model with the moments beside it.
 */
export async function saveCheckpoint(
  run: Run,
  trainer: Trainer,
  state: RunState,
  keep: number,
): Promise<string> {
  const name = `step-${String(state.step).padStart(6, "0")}`;
  const folder = `${run.folder}/checkpoints/${name}`;
  const beside = `${folder}.tmp`;
  const { model, tokenizer, optimizer } = trainer;
  const loaded: LoadedModel = { model, tokenizer, source: run.folder };
  await saveModel(loaded, beside, "F32", { embeddingRms: state.embeddingRms });
  const moments = [{ prefix: "first.", params: optimizer.first }, {
    prefix: "second.",
    params: optimizer.second,
  }];
  await writeParams(model.gpu, model.config, moments, `${beside}/optimizer.safetensors`, "F32");
  writeWhole(`${beside}/state.json`, JSON.stringify(state, null, 2) + "\n");
  syncFolder(beside);
  if (exists(folder)) Deno.removeSync(folder, { recursive: true });
  Deno.renameSync(beside, folder);
  syncFolder(`${run.folder}/checkpoints`);
  if (state.best?.step === state.step) pointBest(run.folder, name);
  prune(run.folder, keep, state.best?.step);
  return folder;
}

/** Loads weights, moments and state of a checkpoint into a trainer. */
export function loadCheckpoint(folder: string, trainer: Trainer): RunState {
  const state = readState(folder);
  const { model: { gpu, config, params }, optimizer } = trainer;
  const weights = openSafetensors(`${folder}/model.safetensors`);
  readParams(gpu, config, weights, params, folder);
  weights.close();
  const moments = openSafetensors(`${folder}/optimizer.safetensors`);
  readParams(gpu, config, moments, optimizer.first, folder, "first.");
  readParams(gpu, config, moments, optimizer.second, folder, "second.");
  moments.close();
  return state;
}

/** The state of a checkpoint. */
export function readState(folder: string): RunState {
  try {
    return JSON.parse(Deno.readTextFileSync(`${folder}/state.json`));
  } catch (error) {
    throw new UserError(
      `Cannot resume from ${folder}: state.json: ${(error as Error).message}, a whole checkpoint is needed`,
      "remove this checkpoint's folder to resume from an older one",
    );
  }
}

function pointBest(folder: string, name: string): void {
  const beside = `${folder}/best.tmp`;
  if (exists(beside)) Deno.removeSync(beside);
  Deno.symlinkSync(`checkpoints/${name}`, beside);
  Deno.renameSync(beside, `${folder}/best`);
}

function prune(folder: string, keep: number, best: number | undefined): void {
  const steps = [...Deno.readDirSync(`${folder}/checkpoints`)].map((entry) => entry.name)
    .filter((name) => /^step-\d{6,}$/.test(name)).sort((a, b) => stepOf(a) - stepOf(b));
  for (const name of steps.slice(0, -keep)) {
    if (stepOf(name) !== best) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
  }
}

function openLogs(folder: string): Run {
  const open = (name: string) => Deno.openSync(`${folder}/${name}`, { append: true, create: true });
  const metrics = open("metrics.jsonl");
  const samples = open("samples.jsonl");
  const encoder = new TextEncoder();
  const append = (file: Deno.FsFile) => (line: Record<string, unknown>) => {
    const bytes = encoder.encode(JSON.stringify(line) + "\n");
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  };
  return {
    folder,
    appendMetrics: append(metrics),
    appendSample: append(samples),
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
