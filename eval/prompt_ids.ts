import type { Tokenizer } from "../model/tokenizer.ts";

/** Token ids of a text that a model is to continue: the beginning-of-sequence token if the tokenizer asks for it, then the text. */
export function promptIds(tokenizer: Tokenizer, text: string): number[] {
  return [...(tokenizer.bosId === undefined ? [] : [tokenizer.bosId]), ...tokenizer.encode(text)];
}
