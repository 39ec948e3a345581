import { UserError } from "../../gpu/errors.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../model/lora/adapter_config.ts";
import { lookInto } from "../../model/files/look_into.ts";
import { modelFile } from "../../model/files/model_file.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { locateAdapter } from "../../model/lora/locate_adapter.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import type { WeightForm } from "../../model/weights/weight_types.ts";
import { type Parcel, SERVED_NAME, type ServedFile } from "./job.ts";
import type { FileServer } from "./serve_files.ts";

/** A model as workers are to have it. */
export interface SharedModel {
  /** Of a model, as for `findModel`. */
  name: string;
  /** An adapter that is put on it and does not train. */
  adapter?: string;
  /** Where it trains, the model on this device. */
  training?: Model;
  weights: WeightForm;
  /** Rollouts are made by a copy in f16. */
  half: boolean;
}

/** What of a model's folder a model is opened from. */
const OF_MODEL = /\.(json|safetensors|txt|model|jinja)$/;
const BESIDE_MODEL = new Set(["optimizer.safetensors", "state.json", ADAPTER_CONFIG, ADAPTER_WEIGHTS]);

/**
 * Serves the files of a model.
 * @returns the list of them, served as well
 */
export function serveModel(
  server: FileServer,
  { name, adapter, training, weights, half }: SharedModel,
): ServedFile {
  using files = openModelFiles(name);
  const own = files.adapter;
  // An adapter that trains comes with what has been trained.
  const given = adapter === undefined ? own?.folder : locateAdapter(adapter);
  const put = training?.adapter ? undefined : given;
  const parcel: Parcel = {
    model: modelOf(server, files),
    ...(put === undefined ? {} : { adapter: filesOf(server, put, [ADAPTER_CONFIG, ADAPTER_WEIGHTS]) }),
    ...{ weights, half, trains: whatTrains(training) },
  };
  return server.addText(JSON.stringify(parcel), "parcel.json");
}

function whatTrains(model: Model | undefined): string {
  if (model === undefined) return "nothing";
  return model.adapter ? `an adapter: ${JSON.stringify(model.adapter.settings)}` : "all weights";
}

function modelOf(server: FileServer, { folder, file }: { folder?: string; file?: string }): Parcel["model"] {
  if (file !== undefined) {
    const [, place, open] = /^(.*?)([^/]*)$/s.exec(file)!;
    const beside = open.endsWith(".bin")
      ? lookInto(place || ".").filter((name) => /^tok(enizer|\d+)\.bin$/.test(name))
      : [];
    return {
      files: filesOf(server, place.replace(/\/$/, "") || (place ? "/" : "."), [open, ...beside]),
      open,
    };
  }
  if (folder === undefined) return "builtin";
  const names = lookInto(folder).filter((name) => OF_MODEL.test(name) && !BESIDE_MODEL.has(name));
  return { files: filesOf(server, folder, names.sort()) };
}

function filesOf(server: FileServer, folder: string, names: readonly string[]): ServedFile[] {
  return names.map((name) => {
    if (SERVED_NAME.test(name)) return server.add(modelFile(folder, name), name);
    throw new UserError(
      `Cannot give ${folder}/${name} to workers: its name has other characters than letters, digits, . _ and -`,
      "rename the file",
    );
  });
}
