import { UserError } from "../../gpu/errors.ts";
import type { ThinkingRules } from "./thinking_text.ts";
import { contextOf, type Model } from "../transformer/transformer.ts";

/** Most tokens of a rollout after its prompt: thinking, the longest forced text, answer. */
export function maxNewTokens({ maxThinking, maxAnswer, forcedIds }: ThinkingRules): number {
  return maxThinking + Math.max(...Object.values(forcedIds).map((ids) => ids.length)) + maxAnswer;
}

/**
 * Refuses a text longer than the positions that the model knows.
 * @param promptTokens of the longest prompt
 * @param newTokens that may follow it
 * @param whose text it is, for the message
 * @throws UserError
 */
export function checkContext(
  model: Pick<Model, "ropeTable">,
  promptTokens: number,
  newTokens: number,
  whose?: string,
): void {
  const context = contextOf(model);
  if (promptTokens + newTokens <= context) return;
  throw new UserError(
    `Cannot generate up to ${newTokens} tokens after a prompt of ${promptTokens}${
      whose === undefined ? "" : ` (${whose})`
    }: the model's context holds ${context}`,
    "shorten the text, or allow less: --max-thinking, --answer-tokens, with --raw --max-tokens; --long-prompts truncate cuts its middle",
  );
}
