import { UserError } from "../../gpu/errors.ts";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { rootMeanSquare } from "../../model/transformer/initialise.ts";
import { isTaken, namesIn } from "../../model/files/on_disk.ts";
import type { LoadedModel } from "../../model/files/save_model.ts";
import { loadCheckpoint } from "../../rl/run/load_checkpoint.ts";
import { createRun, reopenRun, type Run } from "../../rl/run/run.ts";
import { checkpointsOf } from "../../rl/run/run_checkpoints.ts";
import { saveCheckpoint } from "../../rl/run/save_checkpoint.ts";
import type { SftKeeper } from "../../rl/train_supervised.ts";
import { readConfigFile, toToml } from "../settings/config_file.ts";
import { refuseCut } from "../settings/refuse_cut.ts";
import { dashed } from "../settings/dashed.ts";
import { type Origin, resolveConfig } from "../settings/resolve_config.ts";
import { shown } from "../settings/shown.ts";
import { sftSettings, type SftValues } from "./sft_settings.ts";

/** Where a training keeps itself until its model is written: settings, metrics, checkpoints, as a run has them. */
export const unfinishedIn = (out: string): string => `${out}/unfinished`;

/** A training that is kept as it goes. */
export interface Unfinished extends SftKeeper, Disposable {
  /** What was not as it should be: people want to know. */
  notes: readonly string[];
  /** Has it removed at the end: the model is written. It is removed, too, where no checkpoint was made. */
  remove(): void;
}

/**
 * The values of a training that goes on: its own; a flag may not change them.
 * @throws UserError if there is none, or a flag asks for something else
 */
export function resumedSft(given: SftValues, origins: Record<keyof SftValues, Origin>): SftValues {
  const { out } = given;
  const path = `${unfinishedIn(out!)}/config.toml`;
  if (!isTaken(path)) {
    throw new UserError(
      `Cannot resume ${out}: it holds no unfinished training`,
      "start one without --resume",
    );
  }
  const file = readConfigFile(path);
  const saved = resolveConfig(sftSettings, { flags: {}, file });
  refuseCut(out!, file);
  for (const key of Object.keys(sftSettings) as (keyof SftValues)[]) {
    if (key === "out" || origins[key] !== "flag" || shown(given[key]) === shown(saved[key])) continue;
    throw new UserError(
      `Cannot resume ${out} with --${dashed(key)} ${shown(given[key])}: it runs with ${shown(saved[key])}`,
      "leave the flag out, or start a new training",
    );
  }
  return { ...saved, out };
}

/**
 * Begins to keep a training, or opens the one that is there to go on with it.
 *
 * @param loaded the model that trains, which a checkpoint's weights are loaded into
 * @throws UserError if the folder cannot be used, or holds no whole checkpoint though it had one
 */
export function openUnfinished(values: SftValues, loaded: LoadedModel, resumes: boolean): Unfinished {
  const folder = unfinishedIn(values.out!);
  const isNew = !isTaken(values.out!);
  let isDone = false;
  const reopened = resumes ? reopenRun(folder, values.saveEvery) : undefined;
  const run: Run = reopened?.run ?? createRun(folder, toToml(values));
  const trainer = { ...loaded, settings: { steps: values.steps } };
  let tokens = reopened?.state?.tokens ?? 0;
  return {
    notes: reopened?.notes ?? [],
    load(moments) {
      if (reopened?.checkpoint === undefined) return 0;
      return loadCheckpoint(reopened.checkpoint, { ...trainer, ...moments }, reopened.state).step;
    },
    async save(step, moments, last) {
      const { seconds, ...line } = step;
      tokens += step.tokens;
      run.appendMetrics({ ...line, time: { seconds } });
      // The last one is kept where the model is: what is stopped before has to be kept here.
      const isStopped = last && step.step < values.steps;
      if (!isStopped && (last || step.step % values.saveEvery !== 0)) return;
      const { gpu, params } = loaded.model;
      const embeddingRms = rootMeanSquare(await downloadMatrix(gpu, params.embedding));
      const kernels = {
        adapter: gpu.adapter.name,
        matmulFamily: gpu.matmulFamily,
        subgroupSize: gpu.subgroupSize,
      };
      const state = { step: step.step, tokens, best: null, embeddingRms, forcedIds: {}, kernels };
      await saveCheckpoint(run, { ...trainer, ...moments }, state, 1);
    },
    remove() {
      isDone = true;
    },
    [Symbol.dispose]() {
      run.close();
      // Without a checkpoint there is nothing to go on from.
      if (!isDone && checkpointsOf(folder).length > 0) return;
      Deno.removeSync(folder, { recursive: true });
      if (isNew && namesIn(values.out!).length === 0) Deno.removeSync(values.out!);
    },
  };
}
