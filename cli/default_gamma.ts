import { readConfigFile, type Source } from "./config.ts";
import { findRecipe } from "./recipe.ts";

/**
 * The noise to run a model with where nobody says: what its run was trained with, else the task's recipe for soft
 * thinking; undefined where neither says.
 *
 * @param model as given to --model
 */
export function defaultGamma(model: string, task: string): number | undefined {
  // A run's folder, its best checkpoint, or any of its checkpoints.
  const places = ["", "/..", "/../.."].map((up) => `${model}${up}/config.toml`);
  const run = places.find((place) => isFile(place));
  return gammaOf(run === undefined ? undefined : readConfigFile(run)) ??
    gammaOf(findRecipe({ task, thinking: "soft", model }));
}

function gammaOf(source: Source | undefined): number | undefined {
  const gamma = source?.values.gamma;
  return typeof gamma === "number" && gamma >= 0 ? gamma : undefined;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
