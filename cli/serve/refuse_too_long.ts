import { CHARACTERS_A_TOKEN, tokensBeyond } from "../../eval/questions/long_prompts.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { ApiError } from "./api_error.ts";

/** The field of a request that holds its prompt. */
export type PromptField = "messages" | "prompt";

/** @throws ApiError 400 that tells by how much it is too long */
export function refuseTooLong(
  promptTokens: number,
  newTokens: number,
  context: number,
  field: PromptField,
): void {
  const over = promptTokens + newTokens - context;
  if (over <= 0) return;
  throw tooLong(
    `it has ${promptTokens} tokens, ${newTokens} more may follow, and the context holds ${context}: ${over} too many`,
    field,
  );
}

/**
 * Refuses texts before they are taken up where more is there than a context of any tokens could hold.
 *
 * @throws ApiError 400 that tells by how much it is too long
 */
export function refuseManyCharacters(texts: readonly string[], context: number, field: PromptField): void {
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  const most = CHARACTERS_A_TOKEN * context;
  if (characters <= most) return;
  throw tooLong(
    `it has ${characters} characters, and at most ${CHARACTERS_A_TOKEN} are read for each of the ${context} tokens that the ` +
      `context holds: ${characters - most} characters too many`,
    field,
  );
}

/**
 * Refuses a text that is longer than the context by reading no more of it than shows that: tokenising stops all else.
 *
 * @throws ApiError 400 that tells by how much it is too long
 */
export function refuseTextBeyond(
  tokenizer: Tokenizer,
  text: string,
  context: number,
  field: PromptField,
): void {
  refuseManyCharacters([text], context, field);
  const tokens = tokensBeyond(tokenizer, text, context);
  if (tokens === undefined) return;
  throw tooLong(
    `it has about ${tokens} tokens, and the context holds ${context}: about ${tokens - context} too many`,
    field,
  );
}

const tooLong = (found: string, field: PromptField): ApiError =>
  new ApiError(
    400,
    `Cannot go on from this prompt: ${found}. Shorten the prompt, or ask for fewer tokens.`,
    field,
    "context_length_exceeded",
  );
