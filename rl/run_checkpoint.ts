import { UserError } from "../gpu/errors.ts";
import { ADAPTER_WEIGHTS } from "../model/lora/adapter_config.ts";
import { readAdapter } from "../model/lora/load_adapter.ts";
import { saveAdapter } from "../model/lora/save_adapter.ts";
import { type LoadedModel, saveModel } from "../model/files/save_model.ts";
import { readParams, writeParams } from "../model/files/params_file.ts";
import { writeJson } from "../model/files/write_whole.ts";
import { openSafetensors } from "../model/formats/safetensors.ts";
import { syncFolder } from "../model/formats/placed_file.ts";
import { sha256Of } from "../model/files/sha256_of.ts";
import type { Trainable } from "../model/transformer/params.ts";
import type { Model } from "../model/transformer/transformer.ts";
import type { Trainer } from "./trainer.ts";
import { isTaken } from "../model/files/on_disk.ts";

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

/** The newest checkpoint of a run's folder, if there is one. */
export function newestCheckpoint(folder: string): string | undefined {
  const newest = checkpointNames(folder).at(-1);
  return newest && `${folder}/checkpoints/${newest}`;
}

/** Names of a run's checkpoints, oldest first. */
export function checkpointNames(folder: string): string[] {
  return [...Deno.readDirSync(`${folder}/checkpoints`)].map((entry) => entry.name)
    .filter((name) => /^step-\d{6,}$/.test(name)).sort((a, b) => stepOf(a) - stepOf(b));
}

/** Name of a step's checkpoint. */
export const nameOf = (step: number): string => `step-${String(step).padStart(6, "0")}`;
/** Step of a checkpoint's folder. */
export const stepOf = (path: string): number => Number(/step-(\d+)$/.exec(path)?.[1]);

/**
 * Writes a checkpoint that is whole or absent, and removes the oldest ones but `keep` and the best.
 * The folder is a Hugging Face model, or an adapter in PEFT's form, with the moments beside it.
 * @throws UserError if the disk refuses; the checkpoints before stay as they are
 */
export async function saveCheckpoint(
  run: { folder: string },
  trainer: Trainer,
  state: RunState,
  keep: number,
): Promise<string> {
  const name = nameOf(state.step);
  const folder = `${run.folder}/checkpoints/${name}`;
  const beside = `${folder}.tmp`;
  try {
    await writeCheckpoint(run, trainer, state, beside);
    if (isTaken(folder)) Deno.removeSync(folder, { recursive: true });
    Deno.renameSync(beside, folder);
    syncFolder(`${run.folder}/checkpoints`);
    if (state.best?.step === state.step) pointBest(run.folder, name);
  } catch (error) {
    // A full disk should not stay full of half a checkpoint.
    if (isTaken(beside)) Deno.removeSync(beside, { recursive: true });
    throw refusedByDisk(error, run.folder, state.step);
  }
  prune(run.folder, keep, state.best?.step);
  return folder;
}

async function writeCheckpoint(
  run: { folder: string },
  trainer: Trainer,
  state: RunState,
  beside: string,
): Promise<void> {
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
  const names = [model.adapter ? ADAPTER_WEIGHTS : "model.safetensors", "optimizer.safetensors"];
  const sha256 = Object.fromEntries(names.map((name) => [name, sha256Of([`${beside}/${name}`])]));
  writeJson(`${beside}/state.json`, { ...state, sha256 });
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
  const { sha256 = {}, ...state } = readState(folder);
  checkHashes(folder, sha256);
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

/** A checkpoint whose bytes changed after it was written would go on with other numbers in silence. */
function checkHashes(folder: string, sha256: Record<string, string>): void {
  for (const [name, expected] of Object.entries(sha256)) {
    const path = `${folder}/${name}`;
    if (!isTaken(path) || sha256Of([path]) === expected) continue;
    throw new UserError(
      `Cannot resume from ${folder}: ${name} is not what was written (its SHA-256 differs), a whole checkpoint is needed`,
      OLDER,
    );
  }
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
export function readState(folder: string): RunState & { sha256?: Record<string, string> } {
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

/** Lets `best` stand for a checkpoint. */
export function pointBest(folder: string, name: string): void {
  const beside = `${folder}/best.tmp`;
  if (isTaken(beside)) Deno.removeSync(beside);
  Deno.symlinkSync(`checkpoints/${name}`, beside);
  Deno.renameSync(beside, `${folder}/best`);
}

function prune(folder: string, keep: number, best: number | undefined): void {
  for (const name of checkpointNames(folder).slice(0, -keep)) {
    if (stepOf(name) !== best) Deno.removeSync(`${folder}/checkpoints/${name}`, { recursive: true });
  }
}
