import type { Gpu } from "../../gpu/gpu.ts";
import type { Job } from "./job.ts";
import { makeRollouts } from "./make_rollouts.ts";
import { encodeResult, kindOf } from "./result.ts";
import { takeJobs, type TakeOptions } from "./take_jobs.ts";
import { workerFiles } from "./worker_files.ts";
import { workerModel } from "./worker_model.ts";

/** How a worker works. */
export interface WorkOptions extends TakeOptions {
  /** Folder for what it fetches. */
  place: string;
  openDevice: () => Promise<Gpu>;
}

/**
 * Takes jobs from the queue, one at a time, makes their rollouts and sends them, until the signal is aborted.
 * @throws UserError if there is no such server, or the jobs are another version's
 */
export async function work(options: WorkOptions): Promise<void> {
  const { place, openDevice, version, signal, say } = options;
  const files = workerFiles(place, say, signal);
  using model = workerModel(openDevice, files);
  const make = async (job: Job) => {
    const ready = await model.ready(job);
    return { ready, ...await makeRollouts(job, ready, signal) };
  };
  await takeJobs(options, async (job, waited) => {
    const began = performance.now();
    const before = files.fetched;
    const { ready, rollouts, rows } = await make(job).catch(async (error) => {
      throw await model.explain(error);
    });
    const fetched = files.fetched - before;
    const seconds = (performance.now() - began) / 1000;
    const { model: { gpu }, weights } = ready;
    const told = { job: job.id, version, weights, update: job.update };
    const head = { ...told, device: kindOf(gpu), seconds, waited, fetched };
    return { bytes: encodeResult(head, rollouts, rows), rollouts: rollouts.length, fetched };
  });
}
