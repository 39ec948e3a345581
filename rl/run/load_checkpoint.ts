import { UserError } from "../../gpu/errors.ts";
import { isTaken } from "../../model/files/on_disk.ts";
import { readParams } from "../../model/files/params_file.ts";
import { sha256Of } from "../../model/files/sha256_of.ts";
import { openSafetensors } from "../../model/formats/safetensors.ts";
import { readAdapter } from "../../model/lora/load_adapter.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import type { Trainer } from "../trainer.ts";
import { type SavedSet, setsBeside } from "./sets_beside.ts";
import { OLDER, readState, type RunState } from "./run_state.ts";

/**
 * Loads weights, moments and state of a checkpoint into a trainer.
 * @throws UserError if any of its files is missing, damaged, or does not fit the model
 */
export function loadCheckpoint(folder: string, trainer: Trainer): RunState {
  const { sha256 = {}, ...state } = readState(folder);
  checkHashes(folder, sha256);
  const { model } = trainer;
  const sets = setsBeside(trainer, state.step);
  try {
    loadTrained(folder, model);
    readSets(model, `${folder}/optimizer.safetensors`, sets, folder);
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
  else readSets(model, `${folder}/model.safetensors`, [{ params: model.params, prefix: "" }], folder);
}

function readSets(
  { gpu, config }: Model,
  path: string,
  sets: readonly SavedSet[],
  folder: string,
): void {
  const file = openSafetensors(path);
  try {
    for (const { params, prefix } of sets) readParams(gpu, config, file, params, folder, prefix);
  } finally {
    file.close();
  }
}
