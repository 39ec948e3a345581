import { isFile } from "../../model/files/on_disk.ts";
import { readConfigFile } from "../settings/config_file.ts";

/**
 * The settings of the run that a model comes from, as its config.toml has them.
 *
 * @param model as given to --model: a run's folder, its best checkpoint, or any of its checkpoints
 * @returns by dashed name; empty if the model is no run's
 */
export function runValues(model: string): Record<string, unknown> {
  const file = ["", "/..", "/../.."].map((up) => `${model}${up}/config.toml`).find(isFile);
  return file === undefined ? {} : readConfigFile(file).values;
}
