import type { Gpu } from "../../gpu/gpu.ts";
import type { FindModelOptions, FoundModel } from "../../model/files/find_model.ts";
import { type Facts, factsOf } from "../facts/facts.ts";
import { findWatched } from "../terminal/find_watched.ts";

/**
 * Loads a model and reads its facts, telling on stderr what is under way where that takes a while.
 *
 * @param shown the name in the facts
 */
export async function loadWatched(
  gpu: Gpu,
  name: string,
  options: FindModelOptions,
  { shown, quiet }: { shown: string; quiet: boolean },
): Promise<{ found: FoundModel; facts: Facts }> {
  let facts: Facts;
  const found = await findWatched(gpu, name, options, {
    ...{ quiet, shown },
    then(found, tell) {
      tell(`reading ${shown} once more, for its hash`);
      facts = factsOf(gpu, shown, found);
    },
  });
  return { found, facts: facts! };
}
