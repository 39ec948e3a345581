import { basename } from "node:path";
import { UserError } from "../../gpu/errors.ts";
import { BUILTIN } from "../../model/builtin/builtin_model.ts";
import { locateModel } from "../../model/files/locate_model.ts";
import { modelFile } from "../../model/files/model_file.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { isFile, namesIn } from "../../model/files/on_disk.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import { modelFilesIn } from "../../model/hub/model_files_in.ts";
import { pushRepo } from "../../model/hub/push_repo.ts";
import { findAdaptedModel } from "../../model/lora/locate_adapter.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flag, text } from "../settings/setting.ts";
import { counted } from "../terminal/counted.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { Interrupted, watchInterrupt } from "../terminal/interrupt.ts";
import { createProgress } from "../terminal/progress.ts";

/** `softcot model push`: a model into a repository of the hub. */
export const modelPushCommand = defineCommand({
  description: `Bring a model or an adapter to the Hugging Face hub.

Of a run it is the best checkpoint, else the newest; pushed are weights, configuration and tokenizer, a README and a licence where they \
lie beside, and nothing else of a run. The repository is made where there is none, for its owners alone unless --public says otherwise. \
Files that are there already are not sent again.

HF_TOKEN (or the file that \`hf auth login\` writes) has to have the right to write; HF_ENDPOINT names another hub.`,
  arguments: [
    ["<model:string:model>", "folder, .gguf file, run or name"],
    ["<id:string>", "the repository on the hub: org/name"],
  ],
  settings: {
    public: flag("Let everybody see the repository, if it is made now"),
    message: text("First line of the commit's message", { defaultText: "Push NAME with softcot" }),
  },
  examples: [["A trained run", "softcot model push runs/gsm8k me/thinker"]],
  async run({ public: isPublic, message }, { args: [name, id], quiet, print }) {
    const files = await filesOf(name, id);
    using interrupt = watchInterrupt("Stopping; nothing is changed in the repository.");
    using progress = createProgress({ label: "push", quiet, interval: 2000 });
    const onProgress = ({ bytes, totalBytes, notice }: Parameters<typeof shown>[0]) => {
      if (notice) progress.log(notice);
      if (totalBytes > 0) progress.show(shown({ bytes, totalBytes }), bytes === totalBytes);
    };
    const what = message ?? `Push ${basename(name)} with softcot`;
    const pushing = pushRepo({ id, files, isPublic, message: what, onProgress, signal: interrupt.signal });
    const pushed = await pushing.catch((error) => {
      if (!interrupt.signal.aborted) throw error;
      progress.done();
      throw new Interrupted("Stopped: the repository is as it was.");
    });
    print({ id, ...pushed }, () => {
      const { isNew, commit, bytes } = pushed;
      const made = isNew ? `made for ${isPublic ? "everybody" : "its owners alone"}, ` : "";
      return `${id} at ${commit.slice(0, 12)}: ${made}${counted(pushed.pushed.length, "new file")}, ${
        inBytes(bytes)
      }\n${pushed.url}`;
    });
  },
});

const shown = ({ bytes, totalBytes }: { bytes: number; totalBytes: number; notice?: string }) =>
  `push ${Math.floor(100 * bytes / totalBytes)}%  ${inBytes(bytes)} of ${inBytes(totalBytes)}`;

/** The files of a model by their names, after a look whether they are one. */
async function filesOf(name: string, id: string): Promise<Map<string, string>> {
  if (name === BUILTIN) {
    throw new UserError(
      "Cannot push the embedded model: it has no files",
      `write it as a folder: softcot model export ${BUILTIN} --out DIR`,
    );
  }
  const adapter = findAdaptedModel(name);
  if (adapter === undefined) openModelFiles(name)[Symbol.dispose]();
  const place = adapter ?? locateModel(name).path;
  if (isFile(place)) return new Map([[basename(place), place]]);
  const read = (path: string) => Promise.resolve(readPlainText(modelFile(place, path)));
  const names = await modelFilesIn(id, namesIn(place), undefined, read);
  return new Map(names.map((path) => [path, modelFile(place, path)]));
}
