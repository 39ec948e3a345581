import { UserError } from "../../gpu/errors.ts";
import type { ThinkingRules } from "./thinking_text.ts";
import { contextOf, type Model } from "../transformer/transformer.ts";

/** Rows that a rollout may need after its prompt: thinking, the longest forced string, answer. */
export function rowsOfRollout({ maxThinking, maxAnswer, forcedIds }: ThinkingRules): number {
  return maxThinking + Math.max(...Object.values(forcedIds).map((ids) => ids.length)) + maxAnswer;
}

/**
 * Refuses a text longer than the positions that the model knows.
 * @param prompt tokens of the longest prompt
 * @param own rows after it
 * @param whose text it is, for the message
 * @throws UserError
 */
export function checkContext(
  model: Pick<Model, "ropeTable">,
  prompt: number,
  own: number,
  whose?: string,
): void {
  const context = contextOf(model);
  if (prompt + own <= context) return;
  throw new UserError(
    `Cannot generate up to ${own} tokens after a prompt of ${prompt}${
      whose === undefined ? "" : ` (${whose})`
    }: the model's context holds ${context}`,
    "shorten the text, or allow less: --max-thinking, --answer-tokens, with --raw --max-tokens",
  );
}
