import { UserError } from "../../gpu/errors.ts";
import { RECIPES } from "../../rl/recipes/recipes.ts";
import { closest } from "./closest.ts";
import { parseSettings, type Source } from "./config_file.ts";

/** What decides on a recipe. */
interface RecipeChoice {
  /** A name that has the last word. */
  recipe?: string;
  task: string;
  /** As given to --model. */
  model: string;
}

/**
 * The recipe of a choice: the one that is named, else that of the task, else that of the task and a model whose name is
 * part of the given one; undefined where there is none. All ways of thinking share it.
 * @throws UserError if the named one does not exist
 */
export function findRecipe({ recipe, task, model }: RecipeChoice): Source | undefined {
  if (recipe !== undefined) return readRecipe(recipe) ?? refuse(recipe);
  return readRecipe(task) ??
    Object.keys(RECIPES).filter((name) => name.startsWith(`${task}-`)).map((name) => readRecipe(name)!)
      .find(({ values }) => typeof values.model === "string" && isNamed(model, values.model));
}

/** The recipe of that name, or undefined where there is none. */
export function readRecipe(name: string): Source | undefined {
  if (!Object.hasOwn(RECIPES, name)) return undefined;
  return parseSettings(RECIPES[name], `recipe ${name}`);
}

/** Whether `given` (a path, a hub id) names the model with that hub id. */
function isNamed(given: string, id: string): boolean {
  return given.toLowerCase().includes(id.split("/").at(-1)!.toLowerCase());
}

function refuse(name: string): never {
  const names = Object.keys(RECIPES);
  const nearest = closest(name, names);
  throw new UserError(
    `Cannot find the recipe ${name}: the recipes are ${names.join(", ")}`,
    nearest ? `did you mean ${nearest}?` : "settings of your own are given by --config FILE",
  );
}
