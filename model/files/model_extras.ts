import { UserError } from "../../gpu/errors.ts";
import type { BaseModel } from "../transformer/adapter.ts";
import { modelFile } from "./model_file.ts";
import { readPlainText } from "./plain_file.ts";
import { parseJson } from "./parse_json.ts";

/** Facts kept beside the model in softcot.json. */
export interface ModelExtras {
  /** RMS of the base model's embedding: the unit of the noise, measured once (method section 2). */
  embeddingRms?: number;
  /** What an adapter was trained on. */
  base?: BaseModel;
}

/**
 * Reads softcot.json; a model without one has no extras.
 * @throws UserError if it cannot be read or holds something else
 */
export function readExtras(folder: string): ModelExtras {
  const refuse = (what: string) => new UserError(`Cannot read ${folder}/softcot.json: ${what} is needed`);
  let extras: unknown;
  try {
    extras = parseJson(readPlainText(modelFile(folder, "softcot.json")));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return {};
    throw refuse(`${(error as Error).message}, JSON`);
  }
  if (typeof extras !== "object" || extras === null) throw refuse("it holds no object, one");
  const { embeddingRms } = extras as ModelExtras;
  if (embeddingRms === undefined || Number.isFinite(embeddingRms) && embeddingRms > 0) return extras;
  throw refuse(`embeddingRms is ${JSON.stringify(embeddingRms)?.slice(0, 40)}, a number above 0`);
}
