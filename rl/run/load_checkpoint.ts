import { UserError } from "../../gpu/errors.ts";
import { letEventsIn } from "../../gpu/let_events_in.ts";
import { readingParams } from "../../model/files/params_file.ts";
import { openSafetensors } from "../../model/formats/safetensors.ts";
import { readAdapter } from "../../model/lora/load_adapter.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { GRADIENT, type SavedSet, type SavedTrainer, setsBeside } from "./sets_beside.ts";
import { checkCheckpoint } from "./check_checkpoint.ts";
import { OLDER, type RunState } from "./run_state.ts";

/**
 * Loads weights, moments and state of a checkpoint into a trainer.
 * @param checked its state, where its files have been held against their hashes already
 * @throws UserError if any of its files is missing, damaged, or does not fit the model
 */
export function loadCheckpoint(
  folder: string,
  trainer: Omit<SavedTrainer, "tokenizer">,
  checked?: RunState,
): RunState {
  const state = checked ?? checkCheckpoint(folder);
  const { model, settings } = trainer;
  // Where no update follows, none is compared with the gradient.
  const isWanted = ({ prefix }: SavedSet) => prefix !== GRADIENT || state.step < settings.steps;
  const sets = setsBeside(trainer, state.step).filter(isWanted);
  try {
    for (const _ of readingTrained(folder, model));
    for (const _ of readingSets(model, `${folder}/optimizer.safetensors`, sets, folder));
  } catch (error) {
    throw error instanceof UserError ? new UserError(error.message, OLDER) : error;
  }
  if (trainer.behind) trainer.behind.done = state.step;
  return state;
}

/**
 * Loads what a checkpoint has trained, all weights or those of the adapter, into a model of that form.
 * @throws UserError if the file is missing, damaged, or does not fit the model
 */
export async function loadTrained(folder: string, model: Model): Promise<void> {
  for (const _ of readingTrained(folder, model)) await letEventsIn();
}

function* readingTrained(folder: string, model: Model): Generator<void> {
  const { gpu, config, adapter, params } = model;
  if (adapter) return readAdapter(gpu, config, adapter, folder);
  yield* readingSets(model, `${folder}/model.safetensors`, [{ params, prefix: "" }], folder);
}

function* readingSets(
  { gpu, config }: Model,
  path: string,
  sets: readonly SavedSet[],
  folder: string,
): Generator<void> {
  const file = openSafetensors(path);
  try {
    for (const { params, prefix, take } of sets) {
      yield* readingParams(gpu, config, file, params, folder, prefix);
      take?.();
    }
  } finally {
    file.close();
  }
}
