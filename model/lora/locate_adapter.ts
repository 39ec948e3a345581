import { UserError } from "../../gpu/errors.ts";
import { behindBest, bestCheckpoint } from "../files/best_checkpoint.ts";
import { checkpointsOf } from "../files/look_into.ts";
import { isThere } from "../files/on_disk.ts";
import { refuseDamagedRun } from "../files/refuse_damaged_run.ts";
import { cachedSnapshot } from "../hub/hub_cache.ts";
import { ADAPTER_CONFIG } from "./adapter_config.ts";

/**
 * The folder of an adapter: one that holds adapter_config.json, a run trained with one (its best checkpoint, else its
 * newest), or a repository in the hub's cache; undefined if it is none of them.
 * @throws UserError if that checkpoint of the run is not whole
 */
export function findAdapter(name: string): string | undefined {
  const folder = isThere(name) ? behindBest(name) : cachedSnapshot("model", name) ?? name;
  const isOne = (place: string | undefined) => place && isThere(`${place}/${ADAPTER_CONFIG}`);
  const checkpoints = checkpointsOf(folder);
  if (checkpoints.some(isOne) && !isOne(folder)) refuseDamagedRun(folder, name, checkpoints);
  return [folder, bestCheckpoint(folder), ...checkpoints].find(isOne);
}

/** The adapter that a model's name stands for: undefined where a whole model lies in the same place. */
export function findAdaptedModel(name: string): string | undefined {
  const found = findAdapter(name);
  return found !== undefined && isThere(`${found}/config.json`) ? undefined : found;
}

/**
 * The folder of an adapter, as {@link findAdapter} finds it.
 * @throws UserError if there is none
 */
export function locateAdapter(name: string): string {
  const found = findAdapter(name);
  if (found !== undefined) return found;
  throw new UserError(
    `Cannot find an adapter in ${name}: looked for ${ADAPTER_CONFIG} there (a folder of PEFT), then in best and ` +
      "checkpoints/step-... (a run trained with --lora); none is there",
    "--adapter takes the folder of a LoRA adapter",
  );
}
