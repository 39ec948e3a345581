import type { Gpu } from "../../gpu/gpu.ts";
import { BUILTIN } from "../../model/builtin/builtin_model.ts";
import { findModel } from "../../model/files/find_model.ts";
import { loadAdapter, readAdapter } from "../../model/lora/load_adapter.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { createHalfCopy, type HalfCopy } from "../../model/weights/half_copy.ts";
import { loadTrained } from "../run/load_checkpoint.ts";
import { type Job, weightsOf } from "./job.ts";
import type { WorkerFiles } from "./worker_files.ts";

/** What rollouts of a job are made with. */
export interface ReadyModel {
  model: Model;
  tokenizer: Tokenizer;
  /** SHA-256 of what was loaded, as jobs name it. */
  weights: string;
}

/** The model that a worker has on its device: that of the last job. */
export interface WorkerModel extends Disposable {
  /** Makes it the one of a job, fetching what is not here. */
  ready(job: Job): Promise<ReadyModel>;
  /** The error that lies behind one of a job: the loss of the device, or its want of memory. */
  explain(error: unknown): Promise<unknown>;
}

interface Loaded {
  parcel: string;
  gpu: Gpu;
  model: Model;
  tokenizer: Tokenizer;
  copy?: HalfCopy;
  weights: string;
}

/** @param openDevice called for each model: a device that is closed gives back all that the one before took */
export function workerModel(openDevice: () => Promise<Gpu>, files: WorkerFiles): WorkerModel {
  let loaded: Loaded | undefined;
  const unload = () => {
    loaded?.gpu.close();
    loaded = undefined;
  };
  const load = async ({ url, parcel: list }: Job): Promise<Loaded> => {
    using held = await files.model(url, list);
    const { parcel, folder, adapter } = held;
    unload();
    const name = parcel.model === "builtin"
      ? BUILTIN
      : parcel.model.open === undefined
      ? folder
      : `${folder}/${parcel.model.open}`;
    const gpu = await openDevice();
    try {
      const { model, tokenizer } = await findModel(gpu, name, { adapter, weights: parcel.weights });
      const copy = parcel.half ? createHalfCopy(model) : undefined;
      return { parcel: list.sha256, gpu, model, tokenizer, copy, weights: list.sha256 };
    } catch (error) {
      const why = await gpu.errors.explain(error);
      gpu.close();
      throw why;
    }
  };
  return {
    async ready(job) {
      if (loaded?.parcel !== job.parcel.sha256) loaded = await load(job);
      const weights = weightsOf(job);
      if (job.trained && loaded.weights !== weights) {
        using held = await files.trained(job.url, job.trained);
        try {
          await takeTrained(loaded, job, held.folder);
        } catch (error) {
          const why = await loaded.gpu.errors.explain(error);
          // Some of it may have been taken.
          unload();
          throw why;
        }
        loaded.weights = weights;
      }
      const { model, tokenizer, copy } = loaded;
      return { model: copy?.model ?? model, tokenizer, weights: loaded.weights };
    },
    explain: async (error) => await loaded?.gpu.errors.explain(error) ?? error,
    [Symbol.dispose]: unload,
  };
}

async function takeTrained({ model, copy }: Loaded, { trained }: Job, folder: string): Promise<void> {
  const { gpu, config } = model;
  const isAdapter = trained!.length > 1;
  if (isAdapter && !model.adapter) model.adapter = loadAdapter(gpu, config, folder);
  else if (isAdapter) readAdapter(gpu, config, model.adapter!, folder);
  else await loadTrained(folder, model);
  copy?.refresh();
}
