import { UserError } from "../../gpu/errors.ts";
import { isTaken, linkTarget } from "../../model/files/on_disk.ts";
import { writeParams } from "../../model/files/params_file.ts";
import { type LoadedModel, saveModel } from "../../model/files/save_model.ts";
import { sha256Of } from "../../model/files/sha256_of.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { syncFolder } from "../../model/formats/placed_file.ts";
import { ADAPTER_WEIGHTS } from "../../model/lora/adapter_config.ts";
import { saveAdapter } from "../../model/lora/save_adapter.ts";
import { type SavedTrainer, setsBeside } from "./sets_beside.ts";
import { nameOf, pointBest, pruneCheckpoints } from "./run_checkpoints.ts";
import type { RunState } from "./run_state.ts";

/**
 * Writes a checkpoint that is whole or absent, and removes the oldest ones but `keep` and the best.
 * The folder is a Hugging Face model, or an adapter in PEFT's form, with the moments beside it.
 *
 * Of several learners the first writes it; the others call this, too, since it may need what they have.
 * @throws UserError if the disk refuses; the checkpoints before stay as they are
 */
export async function saveCheckpoint(
  run: { folder: string },
  trainer: SavedTrainer,
  state: RunState,
  keep: number,
): Promise<string> {
  const name = nameOf(state.step);
  const folder = `${run.folder}/checkpoints/${name}`;
  const beside = `${folder}.tmp`;
  if (trainer.learners && trainer.learners.rank > 0) {
    for (const { gather } of setsBeside(trainer, state.step)) await gather?.();
    return folder;
  }
  try {
    // What a link leads to is not the run's to write to.
    if (linkTarget(beside) !== undefined) Deno.removeSync(beside);
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
  pruneCheckpoints(run.folder, keep, state.best?.step);
  return folder;
}

async function writeCheckpoint(
  run: { folder: string },
  trainer: SavedTrainer,
  state: RunState,
  beside: string,
): Promise<void> {
  const { model, tokenizer } = trainer;
  const loaded: LoadedModel = { model, tokenizer, source: run.folder };
  const extras = { embeddingRms: state.embeddingRms };
  if (model.adapter) await saveAdapter(model, beside, extras);
  else await saveModel(loaded, beside, "F32", extras);
  await writeParams(
    model.gpu,
    model.config,
    setsBeside(trainer, state.step),
    `${beside}/optimizer.safetensors`,
    "F32",
  );
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
    error instanceof UserError && error.hint !== undefined
      ? `the checkpoints before it are whole; ${error.hint}`
      : `the checkpoints before it are whole: make room, then --resume --out ${folder}`,
  );
}
