import { isTaken } from "../../model/files/on_disk.ts";
import { readConfigFile } from "../settings/config_file.ts";

/** All settings of a run by dashed name, own code among them: to know which places it names. None where they cannot be read. */
export function savedValues(run: string): Record<string, unknown> {
  try {
    return readConfigFile(`${run}/config.toml`).values;
  } catch {
    return {};
  }
}

/** The folder of a run by the names that its models have; a config.toml anywhere else is none of the model's. */
export function runFolderOf(model: string): string | undefined {
  const path = model.replace(/(?<=.)\/+$/, "");
  const above = /^(?:(.*)\/)?(?:best|checkpoints\/step-\d+)$/.exec(path);
  const folders = above ? [above[1] ?? ".", path] : [path];
  return folders.find((folder) => isTaken(`${folder}/config.toml`));
}
