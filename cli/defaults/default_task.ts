import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
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
  const vocabulary = (one: Tokenizer) => one.files["tokenizer.json"];
  return vocabulary(tokenizer) === vocabulary(builtinTokenizer()) ? "sums" : "gsm8k";
}
