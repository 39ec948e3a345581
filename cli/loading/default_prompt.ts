import { ValidationError } from "@cliffy/command";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Origin } from "../settings/config.ts";
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

/** What decides how questions are put. */
interface PromptValues {
  model: string;
  chatTemplate: boolean;
  system?: string;
}

/** @throws ValidationError (wrong usage) for a system message without a chat template */
export function refuseLoneSystem({ chatTemplate, system }: Omit<PromptValues, "model">): void {
  if (chatTemplate || system === undefined) return;
  throw new ValidationError("--system goes with --chat-template: the plain prompt has no place for it.");
}

/**
 * How questions are put to a model: as the flags say, else as its run was trained.
 *
 * @param values with the flags
 * @param origins who set them
 * @throws ValidationError (wrong usage) for a system message without a chat template
 */
export function promptValues(
  { model, chatTemplate, system }: PromptValues,
  origins: { chatTemplate: Origin; system: Origin },
): { chatTemplate: boolean; system?: string } {
  const run = origins.chatTemplate === "default" ? runValues(model) : {};
  if (run["chat-template"] !== true) {
    refuseLoneSystem({ chatTemplate, system });
    return { chatTemplate, system };
  }
  const own = typeof run.system === "string" ? run.system : undefined;
  return { chatTemplate: true, system: origins.system === "default" ? own : system };
}
