import { modelFilesIn } from "../../model/hub/model_files_in.ts";
import { pullRepo } from "../../model/hub/pull_repo.ts";
import { describePulled } from "../pull/describe_pulled.ts";
import { pullWatched } from "../pull/pull_watched.ts";
import { defineCommand } from "../settings/define_command.ts";
import { text } from "../settings/setting.ts";

/** `softcot model pull`: a model of the hub into the cache. */
export const modelPullCommand = defineCommand({
  description: `Fetch a model from the Hugging Face hub.

It comes into the cache that Python's huggingface_hub uses, so that each finds what the other has fetched. The \
weights come as safetensors with configuration and tokenizer, or as the one .gguf file that --file chooses. A pull \
that was stopped goes on where it was; every file is checked against the hub's hash.

HF_TOKEN (or the file that \`hf auth login\` writes) opens private and gated models, HF_ENDPOINT names another hub, \
HF_HOME or HF_HUB_CACHE another place for the cache, HF_HUB_OFFLINE=1 forbids the network, \
HF_HUB_DISABLE_SYMLINKS=1 makes copies where the cache would have links.`,
  arguments: [["<id:string>", "the model's name on the hub: org/name"]],
  settings: {
    revision: text("Branch, tag or commit", { default: "main", placeholder: "name" }),
    file: text("The weights' file, or a part of its name such as Q8_0, where there are several"),
  },
  examples: [
    ["A model as safetensors", "softcot model pull HuggingFaceTB/SmolLM2-135M-Instruct"],
    ["One quantisation of several", "softcot model pull bartowski/SmolLM2-135M-Instruct-GGUF --file Q8_0"],
  ],
  async run({ revision, file }, { args: [id], quiet, print }) {
    const pulled = await pullWatched(
      (watch) =>
        pullRepo({
          kind: "model",
          id,
          revision,
          files: (paths, read) => modelFilesIn(id, paths, file, read),
          ...watch,
        }),
      quiet,
    );
    const single = pulled.files.find((path) => path.endsWith(".gguf"));
    const place = single === undefined ? pulled.folder : `${pulled.folder}/${single}`;
    const isAdapter = pulled.files.includes("adapter_config.json");
    const name = single === undefined && revision === "main" ? id : place;
    const use = isAdapter
      ? `use it with --adapter ${name}, on its base model`
      : `use it with --model ${name}`;
    print({ id, revision, ...pulled }, () => [describePulled(id, pulled), place, use].join("\n"));
  },
});
