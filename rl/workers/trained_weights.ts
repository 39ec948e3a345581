import { writeParams } from "../../model/files/params_file.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../model/lora/adapter_config.ts";
import { saveAdapter } from "../../model/lora/save_adapter.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import type { ServedFile } from "./job.ts";
import type { FileServer } from "./serve_files.ts";

/** What was trained, as it was after an update. */
export interface TrainedFiles {
  /** 0: before the first. */
  update: number;
  files: ServedFile[];
}

/** The weights that are trained, as files that workers fetch. */
export interface TrainedWeights extends Disposable {
  /** Those after an update, written once. What is asked for is as new as what was asked for before, or newer, or served still. */
  after(update: number): Promise<TrainedFiles>;
}

/**
 * @param modelAfter the model as it was after an update, which is asked for before that is gone
 * @param folder made for it, and removed in the end
 * @param staleness updates that rollouts under way may be old
 */
export function trainedWeights(
  server: FileServer,
  modelAfter: (update: number) => Model,
  folder: string,
  staleness = 0,
): TrainedWeights {
  // Those that rollouts under way are made with, and the ones before for who is still at it.
  const kept = staleness + 2;
  const versions: TrainedFiles[] = [];
  return {
    async after(update) {
      const known = versions.find((version) => version.update === update);
      if (known) return known;
      const version = { update, files: await write(server, modelAfter(update), `${folder}/${update}`) };
      versions.push(version);
      while (versions.length > kept) {
        const { update, files } = versions.shift()!;
        const isServed = ({ sha256 }: ServedFile) =>
          versions.some((version) => version.files.some((file) => file.sha256 === sha256));
        for (const file of files) if (!isServed(file)) server.remove(file);
        Deno.removeSync(`${folder}/${update}`, { recursive: true });
      }
      return version;
    },
    [Symbol.dispose]() {
      try {
        Deno.removeSync(folder, { recursive: true });
      } catch {
        // Nothing was written yet.
      }
    },
  };
}

async function write(server: FileServer, model: Model, folder: string): Promise<ServedFile[]> {
  Deno.mkdirSync(folder, { recursive: true });
  if (model.adapter) {
    await saveAdapter(model, folder, {});
    return [ADAPTER_WEIGHTS, ADAPTER_CONFIG].map((name) => server.add(`${folder}/${name}`, name));
  }
  const name = "model.safetensors";
  const { gpu, config, params } = model;
  await writeParams(gpu, config, [{ prefix: "", params }], `${folder}/${name}`, "F32");
  return [server.add(`${folder}/${name}`, name)];
}
