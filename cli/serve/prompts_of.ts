import { promptIds } from "../../eval/questions/prompt_ids.ts";
import { ApiError } from "./api_error.ts";
import { refuseTextBeyond } from "./refuse_too_long.ts";
import type { ServedModel } from "./served_model.ts";

/** A text, or token ids. */
export type OnePrompt = string | number[];

const isIds = (one: unknown): one is number[] =>
  Array.isArray(one) && one.length > 0 && one.every((id) => Number.isSafeInteger(id) && id >= 0);

/** Whether it is one prompt, and not a list of them. */
export const isOnePrompt = (one: unknown): one is OnePrompt => typeof one === "string" || isIds(one);

const MOST_PROMPTS = 256;

/**
 * The token ids of each prompt; fewer where `signal` gives up.
 *
 * @throws ApiError 400 where there are too many, an empty one, or ids that are no token's
 */
export async function promptsOf(
  { found: { tokenizer }, context }: ServedModel,
  prompt: OnePrompt | OnePrompt[],
  signal: AbortSignal,
): Promise<number[][]> {
  const all = isOnePrompt(prompt) ? [prompt] : prompt;
  if (all.length > MOST_PROMPTS) {
    throw new ApiError(400, `Cannot take ${all.length} prompts at once: at most ${MOST_PROMPTS}`, "prompt");
  }
  const idsOf = (one: OnePrompt): number[] => {
    if (typeof one === "string") refuseTextBeyond(tokenizer, one, context, "prompt");
    const ids = typeof one === "string" ? promptIds(tokenizer, one) : one;
    if (ids.length === 0) {
      throw new ApiError(400, "Cannot go on from an empty prompt: a token is needed", "prompt");
    }
    const wrong = ids.find((id) => id >= tokenizer.size);
    if (wrong === undefined) return ids;
    throw new ApiError(
      400,
      `Cannot read the prompt: there is no token ${wrong}, ids below ${tokenizer.size} are needed`,
      "prompt",
    );
  };
  const read: number[][] = [];
  for (const one of all) {
    // Others are heard meanwhile.
    if (read.length > 0) await new Promise((resolve) => setTimeout(resolve));
    if (signal.aborted) break;
    read.push(idsOf(one));
  }
  return read;
}
