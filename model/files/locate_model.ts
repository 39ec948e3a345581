import { UserError } from "../../gpu/errors.ts";
import { BUILTIN } from "../builtin/builtin_model.ts";
import { cachedSnapshot } from "../hub/hub_cache.ts";
import { isRepoId } from "../hub/repo_id.ts";
import { behindBest, bestCheckpoint } from "./best_checkpoint.ts";
import { INDEX_NAME } from "../formats/safetensors.ts";
import { checkpointsOf, lookInto } from "./look_into.ts";
import { modelFile } from "./model_file.ts";
import { refuseDamagedRun } from "./refuse_damaged_run.ts";

/** Where a model's weights are, and in which format. */
interface ModelPlace {
  /** A Hugging Face folder, or a file of GGUF or llama2.c. */
  format: "huggingface" | "gguf" | "llama2c";
  /** Of the folder or file. */
  path: string;
}

/**
 * What a name stands for: a Hugging Face folder; a run's folder (its best checkpoint, else its newest); a file that
 * ends in .gguf or .bin, or a folder with exactly one; else what the hub's cache has under this name.
 *
 * @throws UserError saying what was looked for
 */
export function locateModel(name: string): ModelPlace {
  const place = behindBest(name);
  const kind = kindOf(place);
  if (kind === "file") return locateFile(place);
  if (kind === "folder") return locateIn(place, name);
  const snapshot = cachedSnapshot("model", name);
  if (snapshot !== undefined) return locateIn(snapshot, name);
  throw new UserError(
    `Cannot find the model ${name}: there is no such folder or file, and no pulled model of that name`,
    isRepoId(name) && name.includes("/")
      ? `fetch it from the hub with \`softcot model pull ${name}\`, or give a folder or file`
      : `softcot model list shows the names there are, ${BUILTIN} among them; or give the folder of a Hugging Face model ` +
        "(config.json, safetensors, tokenizer.json) or of a run, or a .gguf file",
  );
}

function locateFile(path: string): ModelPlace {
  if (path.endsWith(".gguf")) return { format: "gguf", path };
  if (path.endsWith(".bin")) return { format: "llama2c", path };
  throw new UserError(
    `Cannot open the model ${path}: it is a file, a folder, .gguf or .bin is needed`,
    "give the folder that holds config.json and the safetensors files",
  );
}

function locateIn(folder: string, name: string): ModelPlace {
  const checkpoints = checkpointsOf(folder);
  if (kindOf(`${folder}/config.json`) !== "file") refuseDamagedRun(folder, name, checkpoints);
  const candidates = [folder, bestCheckpoint(folder), ...checkpoints];
  const configured = candidates.find((candidate) =>
    candidate && kindOf(`${candidate}/config.json`) === "file"
  );
  if (configured !== undefined && hasSafetensors(configured)) {
    return { format: "huggingface", path: configured };
  }
  const single = singleFiles(folder);
  if (single.length === 1) return locateFile(modelFile(folder, single[0]));
  if (single.length > 1) {
    throw new UserError(
      `Cannot choose the model of ${name}: it holds ${listed(single)}, exactly one .gguf or .bin is needed`,
      `name the file itself, such as ${folder}/${single[0]}`,
    );
  }
  // Reading it tells which file is missing.
  if (configured !== undefined) return { format: "huggingface", path: configured };
  throw new UserError(
    `Cannot find a model in ${name}: looked for config.json there (a Hugging Face folder), then in best and ` +
      "checkpoints/step-... (a run), then for a .gguf or .bin file; none is there",
    kindOf(`${folder}/checkpoints`) === "folder"
      ? "the run has not written a checkpoint yet"
      : "give the folder that holds config.json and the safetensors files",
  );
}

/** Names of the files that are a model in themselves: tokenizers of llama2.c and PyTorch's pickles are none. */
function singleFiles(folder: string): string[] {
  return lookInto(folder).filter((entry) =>
    entry.endsWith(".gguf") ||
    entry.endsWith(".bin") && !/^(tok\w*|tokenizer|pytorch_model.*|training_args|optimizer)\.bin$/.test(entry)
  ).sort();
}

const hasSafetensors = (folder: string) =>
  lookInto(folder).some((entry) => entry.endsWith(".safetensors") || entry === INDEX_NAME);

function listed(names: string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    return Deno.statSync(path).isDirectory ? "folder" : "file";
  } catch {
    return undefined;
  }
}
