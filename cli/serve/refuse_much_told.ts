import { ApiError } from "./api_error.ts";
import { MIXTURE_TOKENS, type Told } from "./run_choices.ts";

/** Tokens with their numbers that an answer may have: some hundred megabytes of JSON. */
const MOST_NUMBERS = 2 ** 22;

/**
 * Refuses what would fill the memory before it is made.
 *
 * @param tokens of all choices, those of echoed prompts included
 * @throws ApiError 400
 */
export function refuseMuchTold({ logprobs, showMixtures }: Told, tokens: number): void {
  const each = (logprobs === undefined ? 0 : 1 + logprobs) + (showMixtures ? MIXTURE_TOKENS : 0);
  if (each * tokens <= MOST_NUMBERS) return;
  throw new ApiError(
    400,
    `Cannot tell ${each} numbers of each of up to ${tokens} tokens: at most ${MOST_NUMBERS} in all. Ask for fewer choices, tokens, or ` +
      "logprobs.",
    logprobs === undefined ? "softcot.show_mixtures" : "logprobs",
  );
}
