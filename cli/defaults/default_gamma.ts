import { findRecipe } from "../settings/find_recipe.ts";
import { runValues } from "./run_values.ts";

/**
 * The noise to run a model with where nobody says: what its run was trained with, else the task's recipe; undefined where neither says.
 *
 * @param model as given to --model
 */
export function defaultGamma(model: string, task: string): number | undefined {
  return gammaOf(runValues(model)) ?? gammaOf(findRecipe({ task, model })?.values);
}

function gammaOf(values: Record<string, unknown> | undefined): number | undefined {
  const gamma = values?.gamma;
  return typeof gamma === "number" && gamma >= 0 ? gamma : undefined;
}
