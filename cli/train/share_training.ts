import { madeAfter, modelAfter } from "../../rl/behind.ts";
import type { Trainer } from "../../rl/trainer.ts";
import { serveModel } from "../../rl/workers/parcel.ts";
import { type SharedJobs, shareJobs } from "../../rl/workers/share_jobs.ts";
import { type TrainedWeights, trainedWeights } from "../../rl/workers/trained_weights.ts";
import type { WorkerPool } from "../../rl/workers/worker_pool.ts";
import type { TrainValues } from "./train_settings.ts";
import { weightsInTraining } from "./weights_in_training.ts";

/** A training whose rollouts workers make. */
export interface SharedTraining extends Disposable {
  jobs: SharedJobs;
  /**
   * To be called before the first rollouts.
   * @param folder of the run, where the weights that are served are written
   * @param signal of Ctrl-C
   */
  begin(folder: string, signal: AbortSignal): void;
}

/**
 * Serves what a training's workers need: the model that it starts from, and after each update the weights of the moment.
 * @param start name of the model or checkpoint that it starts from
 * @param rank of several learners, each of which serves its own
 */
export function shareTraining(
  pool: WorkerPool,
  { model, behind }: Pick<Trainer, "model" | "behind">,
  start: string,
  values: TrainValues,
  rank: number,
): SharedTraining {
  const { staleness } = values;
  const half = values.rolloutWeights === "f16";
  const parcel = serveModel(pool.files, {
    ...{ name: start, training: model, weights: weightsInTraining(values), half },
  });
  let trained: TrainedWeights | undefined;
  const jobs = shareJobs(pool, { parcel, trained: (step) => trained!.after(madeAfter(staleness, step)) });
  return {
    jobs,
    begin(folder, signal) {
      const modelOf = (update: number) => behind ? modelAfter(model, behind, update) : model;
      trained = trainedWeights(pool.files, modelOf, `${folder}/served-${rank}`, staleness);
      pool.signal = signal;
    },
    [Symbol.dispose]() {
      jobs[Symbol.dispose]();
      trained?.[Symbol.dispose]();
    },
  };
}
