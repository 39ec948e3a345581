import { type SpecialToken, splitAtTokens } from "./special_tokens.ts";
import type { Json } from "./tokenizer_files.ts";

/** Added tokens that a text may hold. */
export const ordinaryTokens = (definition: Json, special: readonly SpecialToken[]): AddedToken[] =>
  ((definition.added_tokens ?? []) as AddedToken[]).filter((token) => !special.includes(token));

/** A token beside the vocabulary, as tokenizer.json has it. */
export interface AddedToken extends SpecialToken {
  /** It is looked for in the normalised text. */
  normalized?: boolean;
}

/** The library overlooks `single_word`: texts of such a tokenizer are cut here, and it sees what lies between added tokens. */
export const hasSingleWords = (added: readonly AddedToken[]) => added.some((token) => token.single_word);

/**
 * What encodes a text that may hold added tokens of which some count as words only.
 *
 * @param encode encodes what lies between them
 * @throws Error if that cannot be told from the text as it is
 */
export function aroundTokens(
  definition: Json,
  added: readonly AddedToken[],
  encode: (text: string, goesOn?: boolean) => number[],
): (text: string, goesOn?: boolean) => number[] {
  const normalised = definition.normalizer == null ? undefined : added.find((token) => token.normalized);
  if (normalised) {
    throw new Error(
      `its token ${
        JSON.stringify(normalised.content.slice(0, 40))
      } is looked for in normalised text, beside others that count as ` +
        "single words: one or the other is needed",
    );
  }
  return (text, goesOn) =>
    splitAtTokens(text, added).flatMap((part, i) =>
      typeof part === "string" ? encode(part, goesOn || i > 0) : [part.id]
    );
}
