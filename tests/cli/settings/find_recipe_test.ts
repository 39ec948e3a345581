import { assert, assertEquals, assertThrows } from "@std/assert";
import { findRecipe, readRecipe } from "../../../cli/settings/find_recipe.ts";
import { resolveConfig } from "../../../cli/settings/resolve_config.ts";
import { trainSettings } from "../../../cli/train/train_settings.ts";
import { UserError } from "../../../gpu/errors.ts";
import { RECIPES } from "../../../rl/recipes/recipes.ts";

const choice = { task: "sums", model: "builtin" };

Deno.test("every recipe file is carried in the program, and sets only what training knows", () => {
  const files = [...Deno.readDirSync("rl/recipes")].map(({ name }) => name).filter((name) =>
    name.endsWith(".toml")
  );
  assertEquals(files.sort(), Object.keys(RECIPES).map((name) => `${name}.toml`).sort());
  for (const name of Object.keys(RECIPES)) {
    const values = resolveConfig(trainSettings, { recipe: readRecipe(name) });
    assert(values.steps > 0 && values.lr > 0, name);
  }
});

Deno.test("a recipe is found by task, by task and model, or by its name", () => {
  assertEquals(findRecipe(choice)?.name, "recipe sums");
  const gsm8k = { ...choice, task: "gsm8k" };
  assertEquals(findRecipe(gsm8k), undefined);
  assertEquals(findRecipe({ ...gsm8k, model: "/models/llama-3.1-8b-instruct" })?.values.lr, 3e-6);
  assertEquals(findRecipe({ ...gsm8k, model: "meta-llama/Llama-3.2-3B-Instruct" })?.values.lr, 6e-6);
  assertEquals(findRecipe({ ...choice, recipe: "math-qwen3b" })?.values.lr, 8e-6);
});

Deno.test("the five published settings differ as the paper says", () => {
  const told = ["gsm8k-llama3b", "math-llama3b", "deepscaler-llama3b", "gsm8k-llama8b", "math-qwen3b"]
    .map((name) => readRecipe(name)!.values)
    .map((
      { model, task, lr, ...rest },
    ) => [model, task, lr, rest["max-thinking"], rest.questions, rest.group]);
  assertEquals(told, [
    ["meta-llama/Llama-3.2-3B-Instruct", "gsm8k", 6e-6, 128, 2, 32],
    ["meta-llama/Llama-3.2-3B-Instruct", "math", 6e-6, 512, 2, 32],
    ["meta-llama/Llama-3.2-3B-Instruct", "deepscaler", 6e-6, 512, 2, 32],
    ["meta-llama/Llama-3.1-8B-Instruct", "gsm8k", 3e-6, 128, 2, 32],
    ["Qwen/Qwen2.5-3B-Instruct", "math", 8e-6, 512, 2, 32],
  ]);
});

Deno.test("a recipe that is not there is refused with the nearest name", () => {
  const error = assertThrows(() => findRecipe({ ...choice, recipe: "sums-slip" }), UserError, "sums-slips");
  assertEquals(error.hint, "did you mean sums-slips?");
});
