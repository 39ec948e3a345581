import { VOCABULARY } from "../../model/builtin/words.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { runValues } from "./run_values.ts";

/**
 * The task whose prompt a model is asked with where nobody says: that of its run; `sums` for the embedded vocabulary;
 * else `gsm8k`, whose prompt and limits are the method's for every model (section 4).
 *
 * @param model as given to --model
 */
export function defaultTask(model: string, tokenizer: Tokenizer): string {
  const { task } = runValues(model);
  if (typeof task === "string") return task;
  return VOCABULARY.every((text, id) => tokenizer.idOf(text) === id) ? "sums" : "gsm8k";
}
