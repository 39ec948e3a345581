/**
 * Vocabularies of whole words in GGUF. Its kind `rwkv` takes the longest token at every place of a text, which is what a tokenizer of words
 * does whose rule cuts texts into its own tokens.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";

/** A token as GGUF's kind `rwkv` writes it. */
export const escapeWord = (text: string): string =>
  text.replace(/[\\\t\n\r]/g, (char) => `\\${{ "\t": "t", "\n": "n", "\r": "r" }[char] ?? char}`);

/**
 * The way back from {@link escapeWord}.
 *
 * @throws UserError if a token holds single bytes, as those of RWKV's own models do
 */
export function unescapeWord(written: string): string {
  return written.replace(/\\(.?)/gs, (_, char: string) => {
    if (char !== "x") return { t: "\t", n: "\n", r: "\r" }[char] ?? char;
    throw new UserError(
      `its token ${
        JSON.stringify(written.slice(0, 40))
      } holds single bytes, tokens of whole characters are needed`,
      "open the same model as a Hugging Face folder",
    );
  });
}

/** A regular expression that cuts a text into the longest tokens; what is none is cut into characters. */
export function longestFirst(tokens: readonly string[]): string {
  const escaped = tokens.toSorted((a, b) => b.length - a.length)
    .map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return `${escaped.join("|")}|[\\s\\S]`;
}

/** Every two tokens are tried: for more than these it would take minutes. */
const MOST_WORDS = 256;

/**
 * Two tokens, side by side, that a tokenizer reads otherwise than by the longest token at every place; undefined where there are none.
 * Texts that it refuses do not count.
 *
 * @param encode of the tokenizer
 * @throws UserError if there are too many tokens to try them all
 */
export function unlikeLongest(
  tokens: ReadonlyMap<string, number>,
  encode: (text: string) => number[],
): string | undefined {
  if (tokens.size > MOST_WORDS) {
    throw new UserError(`it has ${tokens.size} words, a vocabulary of words may have ${MOST_WORDS} of them`);
  }
  const cut = new RegExp(longestFirst([...tokens.keys()]), "gu");
  const greedy = (text: string) => text.match(cut)!.map((piece) => tokens.get(piece));
  for (const first of tokens.keys()) {
    for (const second of tokens.keys()) {
      const text = first + second;
      const ids = attempt(() => encode(text));
      if (ids !== undefined && ids.join() !== greedy(text).join()) return text;
    }
  }
  return undefined;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
