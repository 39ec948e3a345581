import { UserError } from "../../gpu/errors.ts";
import { INDEX_NAME, parseIndex } from "../formats/safetensors.ts";

/** Beside weights: what a model is opened with, its licence, and what tells people about it. */
const BESIDE = new RegExp(
  "^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|softcot)\\.json$|" +
    "^merges\\.txt$|^chat_template\\.(jinja|json)$|^(README|LICEN[SC]E|NOTICE|USE_POLICY)[^/]*$",
);

/**
 * Which files of a model's repository are needed to use it: configuration, tokenizer and safetensors weights (never
 * a second copy of them in another format), or one GGUF or llama2.c file, in which all lies; of an adapter's repository,
 * the adapter. Shards are those that the index names, whatever they are called.
 *
 * @param id the repository, for messages
 * @param paths all of its files
 * @param file a file's path, or a part of its name that no other weight file has, such as `Q4_K_M`
 * @param read the text of one of them, for the index
 * @throws UserError if the repository has no weights that can be opened, several files to choose from, or fewer than its index names
 */
export async function modelFilesIn(
  id: string,
  paths: readonly string[],
  file: string | undefined,
  read: (path: string) => Promise<string>,
): Promise<string[]> {
  if (file !== undefined) return withCompanions(chosenFile(id, paths, file), paths);
  const beside = paths.filter((path) => BESIDE.test(path));
  const isOne = paths.includes("model.safetensors");
  if (isOne || paths.includes(INDEX_NAME)) {
    const missing = ["config.json", "tokenizer.json"].filter((name) => !paths.includes(name));
    if (missing.length > 0) {
      throw new UserError(
        `Cannot pull the model ${id}: it has no ${missing.join(" and no ")}, which a model is opened with`,
        "a repository of the same model in the form of transformers has them",
      );
    }
    const shards = isOne ? [] : shardsIn(id, paths, await read(INDEX_NAME));
    return [...beside, ...(isOne ? ["model.safetensors"] : [INDEX_NAME, ...shards])];
  }
  const adapter = ["adapter_config.json", "adapter_model.safetensors"];
  if (adapter.every((path) => paths.includes(path))) return [...beside, ...adapter];
  const single = weightFiles(paths);
  if (single.length === 1) return withCompanions(single[0], paths);
  if (single.length > 1) {
    throw new UserError(
      `Cannot pull the model ${id}: it has ${single.length} files to choose from: ${named(single)}`,
      `name one: softcot model pull ${id} --file ${nickname(single)}`,
    );
  }
  const others = paths.filter((path) => /\.(safetensors|bin|pth|pt|onnx|h5|msgpack)$/.test(path));
  throw new UserError(
    `Cannot pull the model ${id}: it has no weights that can be opened${
      others.length > 0 ? `, only ${named(others)}` : ""
    }; model.safetensors, its shards, or a .gguf file is needed`,
    "look for the same model as safetensors or GGUF",
  );
}

function shardsIn(id: string, paths: readonly string[], index: string): string[] {
  const shards = [...new Set(parseIndex(index, `${INDEX_NAME} of ${id}`).values())].sort();
  const missing = shards.filter((shard) => !paths.includes(shard));
  if (missing.length === 0) return shards;
  throw new UserError(
    `Cannot pull the model ${id}: its ${INDEX_NAME} names ${
      named(missing)
    }, which the repository does not have`,
    "another revision may have them, or a repository of the same model",
  );
}

function chosenFile(id: string, paths: readonly string[], file: string): string {
  if (paths.includes(file)) return file;
  const weights = paths.filter((path) => /\.(gguf|bin)$/.test(path));
  const part = file.toLowerCase();
  const found = weights.filter((path) => path.toLowerCase().includes(part));
  // F16 is a part of BF16: a name that has it between separators is meant first.
  const exact = found.filter((path) =>
    path.toLowerCase().split(/[-./_]?(?:\.gguf|\.bin)$|[-./]/).includes(part)
  );
  const [one, ...more] = exact.length > 0 ? exact : found;
  if (one !== undefined && more.length === 0) return one;
  throw new UserError(
    `Cannot pull ${JSON.stringify(file)} of the model ${id}: ${
      one === undefined
        ? "no file of that name is there"
        : `${more.length + 1} files have that in their names`
    }; it has ${named(one === undefined ? (weights.length > 0 ? weights : paths) : [one, ...more])}`,
    "give the path of one file, or a part of its name that no other has",
  );
}

/** Weights that are one file each; llama2.c's exporter calls its tokenizers tok512.bin and the like. */
const weightFiles = (paths: readonly string[]) => {
  const gguf = paths.filter((path) => path.endsWith(".gguf") && !/mmproj|imatrix/i.test(path));
  return gguf.length > 0 ? gguf : paths.filter((path) => /stories[^/]*\.bin$/.test(path));
};

function withCompanions(file: string, paths: readonly string[]): string[] {
  if (/-\d{5}-of-\d{5}\.gguf$/.test(file)) {
    throw new UserError(
      `Cannot pull ${file}: it is one part of a model that is split over several GGUF files, one whole file is needed`,
      "llama.cpp's llama-gguf-split --merge joins the parts; or pull the model as safetensors",
    );
  }
  const folder = file.replace(/[^/]*$/, "");
  const tokenizers = file.endsWith(".bin")
    ? paths.filter((path) => path.startsWith(folder) && /^tok[^/]*\.bin$/.test(path.slice(folder.length)))
    : [];
  return [...paths.filter((path) => /^(README|LICEN[SC]E)[^/]*$/.test(path)), file, ...tokenizers];
}

const named = (paths: readonly string[]) =>
  paths.slice(0, 12).join(", ") + (paths.length > 12 ? ` and ${paths.length - 12} more` : "");

/** What the hint proposes: a quantisation of 8 bits where there is one, for it is next to the weights themselves. */
const nickname = (paths: readonly string[]) => paths.some((path) => /Q8_0/.test(path)) ? "Q8_0" : paths[0];
