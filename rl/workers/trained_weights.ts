import { writeParams } from "../../model/files/params_file.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../model/lora/adapter_config.ts";
import { saveAdapter } from "../../model/lora/save_adapter.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import type { ServedFile } from "./job.ts";
import type { FileServer } from "./serve_files.ts";

/** The weights that are trained, as files that workers fetch. */
export interface TrainedWeights extends Disposable {
  /** Those of the moment, for the rollouts of an update; written once for each. */
  current(step: number): Promise<ServedFile[]>;
}

/** Versions that are served: that of the moment, and the one before for who is still at it. */
const KEPT = 2;

/** @param folder made for it, and removed in the end */
export function trainedWeights(server: FileServer, model: Model, folder: string): TrainedWeights {
  const versions: { step: number; files: ServedFile[] }[] = [];
  return {
    async current(step) {
      const last = versions.at(-1);
      if (last?.step === step) return last.files;
      const files = await write(server, model, `${folder}/${step}`);
      versions.push({ step, files });
      while (versions.length > KEPT) {
        const { step, files } = versions.shift()!;
        const isServed = ({ sha256 }: ServedFile) =>
          versions.some((version) => version.files.some((file) => file.sha256 === sha256));
        for (const file of files) if (!isServed(file)) server.remove(file);
        Deno.removeSync(`${folder}/${step}`, { recursive: true });
      }
      return files;
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
