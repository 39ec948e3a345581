import { neededPaths } from "../../eval/data/data_source.ts";
import { taskEntry } from "../../eval/tasks/open_task.ts";
import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";
import { UserError } from "../../gpu/errors.ts";
import { pullRepo } from "../../model/hub/pull_repo.ts";
import { describePulled } from "../pull/describe_pulled.ts";
import { pullWatched } from "../pull/pull_watched.ts";
import { defineCommand } from "../settings/define_command.ts";
import { text } from "../settings/setting.ts";

/** `softcot data pull`: a task's data from the hub into the cache. */
export const dataPullCommand = defineCommand({
  description: `Fetch the data of a task from the Hugging Face hub.

They come into the cache that Python's huggingface_hub uses, so that each finds what the other has fetched. Only the files \
that the task reads are fetched; a pull that was stopped goes on where it was, and every file is checked against the \
hub's hash. HF_TOKEN, HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE are respected.`,
  arguments: [["<name:string:task>", "the task: see softcot data list; or a .toml file that names its hub"]],
  settings: { revision: text("Branch, tag or commit", { default: "main", placeholder: "name" }) },
  examples: [["GSM8K", "softcot data pull gsm8k"]],
  async run({ revision }, { args: [name], quiet, print }) {
    if (isTaskFile(name) && !name.endsWith(".toml")) {
      throw new UserError(
        `Cannot pull ${name}: own code brings its questions itself, a task's name or its .toml file is needed`,
      );
    }
    const { source } = await taskEntry(name);
    if (!source) {
      const pulled = TASKS.filter((task) => task.source).map((task) => task.name).join(", ");
      throw new UserError(
        `Cannot pull ${name}: its questions do not come from the hub, one of ${pulled} is needed`,
      );
    }
    const files = (paths: readonly string[]) => {
      const needed = neededPaths(source, paths);
      if (needed.length > 0) return [...needed, ...paths.filter((path) => /^(README|LICEN[SC]E)/.test(path))];
      throw new UserError(
        `Cannot pull ${name}: ${source.hub} has none of the files that it reads, such as ${
          Object.values(source.splits)[0][0]
        }`,
        "another revision may have them: --revision",
      );
    };
    const id = source.hub;
    const pulled = await pullWatched(
      (watch) => pullRepo({ kind: "dataset", id, revision, files, ...watch }),
      quiet,
    );
    const data = { task: name, id, revision, licence: source.licence, ...pulled };
    const use = revision === "main"
      ? `look at it with: softcot data show ${name}`
      : `use it with --data ${pulled.folder}`;
    print(data, () => [describePulled(id, pulled), `licence: ${source.licence}`, use].join("\n"));
  },
});
