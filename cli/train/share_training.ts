import type { JobRunner } from "../../model/generation/generate_jobs.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { serveModel } from "../../rl/workers/parcel.ts";
import { shareJobs } from "../../rl/workers/share_jobs.ts";
import { type TrainedWeights, trainedWeights } from "../../rl/workers/trained_weights.ts";
import type { WorkerPool } from "../../rl/workers/worker_pool.ts";
import type { TrainValues } from "./train_settings.ts";
import { weightsInTraining } from "./weights_in_training.ts";

/** A training whose rollouts workers make. */
export interface SharedTraining extends Disposable {
  run: JobRunner;
  /**
   * To be called before the first rollouts.
   * @param folder of the run, where the weights that are served are written
   * @param signal of Ctrl-C
   */
  begin(folder: string, signal: AbortSignal): void;
}

/**
 * Serves what a training's workers need: the model that it starts from, and before each update the weights of the moment.
 * @param start name of the model or checkpoint that it starts from
 * @param rank of several learners, each of which serves its own
 */
export function shareTraining(
  pool: WorkerPool,
  model: Model,
  start: string,
  values: TrainValues,
  rank: number,
): SharedTraining {
  const half = values.rolloutWeights === "f16";
  const parcel = serveModel(pool.files, {
    ...{ name: start, training: model, weights: weightsInTraining(values), half },
  });
  let trained: TrainedWeights | undefined;
  return {
    run: shareJobs(pool, { parcel, trained: (step) => trained!.current(step) }),
    begin(folder, signal) {
      trained = trainedWeights(pool.files, model, `${folder}/served-${rank}`);
      pool.signal = signal;
    },
    [Symbol.dispose]: () => trained?.[Symbol.dispose](),
  };
}
