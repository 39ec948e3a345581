/**
 * Pre-tokenizers spelt out for @huggingface/tokenizers 0.2.0, which cuts some of them otherwise than the Rust library: of a Split it
 * knows but Isolated, and Removed of patterns without groups; `invert` drops what does not match; Punctuation joins neighbours whatever it is
 * told; Whitespace, Digits, ByteLevel and WhitespaceSplit read `\w`, `\d` and `\s` as JavaScript does; Metaspace does not cut. Every one
 * can be written as a Split that it reads right.
 *
 * @module
 */

/** A part of tokenizer.json. */
type Step = Record<string, unknown>;

/** GPT-2's rule, which tokenizer.json calls ByteLevel with use_regex. */
export const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Python's, and Rust's, punctuation: Unicode's with all signs of ASCII. */
const PUNCTUATION = "[\\p{P}$+<=>^`|~]";
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d";

const step = (Regex: string, behavior = "Isolated", invert = false): Step => ({
  ...{ type: "Split", pattern: { Regex }, behavior, invert },
});
const sequence = (...pretokenizers: unknown[]): Step => ({ type: "Sequence", pretokenizers });

/**
 * The same pre-tokenizer in terms that the library reads as the Rust library does.
 *
 * @param preTokenizer `pre_tokenizer` of a tokenizer.json
 * @throws Error that names a behaviour that there is not
 */
export function spelledOut(preTokenizer: unknown): unknown {
  const one = preTokenizer as Step | null | undefined;
  switch (one?.type) {
    case "Sequence":
      return Array.isArray(one.pretokenizers) ? sequence(...one.pretokenizers.map(spelledOut)) : one;
    case "Split":
      return splitOf(one.pattern, one.behavior, one.invert === true);
    case "CharDelimiterSplit":
      return splitOf({ String: one.delimiter }, "Removed", false);
    case "Punctuation":
      return splitOf({ Regex: PUNCTUATION }, one.behavior ?? "Isolated", false);
    case "Digits":
      return step(one.individual_digits ? "\\p{N}" : "\\p{N}+");
    case "Whitespace":
      return step(`[${WORD}]+|[^\\p{White_Space}${WORD}]+`, "Removed", true);
    case "WhitespaceSplit":
      return step("\\P{White_Space}+", "Removed", true);
    case "Metaspace":
      return one.split === false
        ? one
        : sequence(one, splitOf({ String: one.replacement ?? "\u2581" }, "MergedWithNext", false));
    case "ByteLevel":
      return one.use_regex !== false && !one.add_prefix_space
        ? sequence(step(GPT2), { ...one, use_regex: false })
        : one;
  }
  return preTokenizer;
}

/** A Split of any behaviour as one whose pieces are its matches and what lies between them. */
function splitOf(pattern: unknown, behavior: unknown, invert: boolean): Step {
  const { String: text, Regex } = (pattern ?? {}) as { String?: unknown; Regex?: unknown };
  const source = typeof Regex === "string" ? Regex : typeof text === "string" ? escaped(text) : undefined;
  // The library says what is wrong with it.
  if (source === undefined) return { type: "Split", pattern, behavior, invert };
  const one = `(?:${source})`;
  const other = `(?:(?!${one})[\\s\\S])*`;
  switch (behavior) {
    case "Isolated":
      return step(source);
    case "Contiguous":
      return step(`${one}+`);
    case "Removed":
      return step(invert ? source : withoutGroups(source), "Removed", invert);
    case "MergedWithPrevious":
    case "MergedWithNext":
      // With `invert` what lies between the matches is what is joined, which is the other way round.
      return step((behavior === "MergedWithNext") !== invert ? one + other : other + one);
  }
  throw new Error(
    `its pre-tokenizer has a Split of behaviour ${JSON.stringify(behavior)}, which there is not`,
  );
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

/** Without groups that are kept: JavaScript's split gives their texts, too. */
function withoutGroups(source: string): string {
  return source.replace(
    /\\.|\[(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?<(?![=!])[^>]*>/gs,
    (found) => found.startsWith("(") ? "(?:" : found,
  );
}
