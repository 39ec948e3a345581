import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";

/** Tokens without a text: no trigger and no brace is seen in them, so that rollouts run to their limits. */
export const mute = (tokenizer: Tokenizer): Tokenizer => ({
  ...tokenizer,
  tokenText: () => "",
  decode: () => "",
});
