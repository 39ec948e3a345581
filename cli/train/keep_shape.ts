import { UserError } from "../../gpu/errors.ts";
import { isTaken } from "../../model/files/on_disk.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";

const SHAPE = [
  "architecture",
  "vocabSize",
  "hiddenSize",
  "layers",
  "heads",
  "kvHeads",
  "headDim",
  "intermediateSize",
] as const;

/**
 * Keeps the shape of a run's model in its folder, or holds the model of a run that goes on against it: a checkpoint brings its own
 * shape along, and one of another run's would be trained on in silence. Runs of old have no such file.
 * @throws UserError if the model has another shape
 */
export function keepShape(folder: string, config: ModelConfig): void {
  const path = `${folder}/shape.json`;
  const now = Object.fromEntries(SHAPE.map((name) => [name, config[name]]));
  if (!isTaken(path)) return writeJson(path, now);
  const kept = read(path, folder);
  const other = SHAPE.find((name) => kept[name] !== now[name]);
  if (other === undefined) return;
  throw new UserError(
    `Cannot resume ${folder}: its checkpoint's ${other} is ${now[other]}, the run's is ${kept[other]}`,
    "put the run's own checkpoint back: this one is another run's",
  );
}

function read(path: string, folder: string): Record<string, unknown> {
  let what: string;
  try {
    const kept = Object(parseJson(readPlainText(path)));
    const missing = SHAPE.find((name) => kept[name] === undefined);
    if (missing === undefined) return kept;
    what = `it lacks ${missing}`;
  } catch (error) {
    what = (error as Error).message;
  }
  throw new UserError(
    `Cannot resume ${folder}: shape.json: ${what}, the shape of its model is needed`,
    "put it back, or remove it: the checkpoint's shape is then taken for the run's",
  );
}
