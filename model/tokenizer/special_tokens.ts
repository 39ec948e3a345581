import type { Json } from "./tokenizer_files.ts";

/** A token that stands for no text, such as `<|im_end|>`. */
export interface SpecialToken {
  /** Its number in the vocabulary. */
  id: number;
  /** Its name. */
  content: string;
  /** Takes white space before it along. */
  lstrip?: boolean;
  /** Takes white space behind it along. */
  rstrip?: boolean;
  /** Within a word it is text. */
  single_word?: boolean;
}

/** The special tokens that tokenizer.json and tokenizer_config.json declare. */
export function specialTokensOf(definition: Json, config: Json): SpecialToken[] {
  const added = Array.isArray(definition.added_tokens) ? definition.added_tokens : [];
  const also = config.additional_special_tokens;
  return added.filter(({ special, content }) => special || (Array.isArray(also) && also.includes(content)));
}

/** The post-processor's first token, if it puts one before every text. */
export function prependedId(processor: unknown): number | undefined {
  const { type, processors, single, special_tokens, cls } = (processor ?? {}) as {
    type?: string;
    processors?: unknown[];
    single?: { SpecialToken?: { id: string } }[];
    special_tokens?: Record<string, { ids: number[] }>;
    cls?: [string, number];
  };
  if (type === "Sequence") {
    return processors?.map(prependedId).find((id) => id !== undefined);
  }
  if (type === "TemplateProcessing") {
    const name = single?.[0]?.SpecialToken?.id;
    return name === undefined ? undefined : special_tokens?.[name]?.ids[0];
  }
  return type === "BertProcessing" || type === "RobertaProcessing" ? cls?.[1] : undefined;
}

const WORD_ENDS = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]$/u;
const WORD_BEGINS = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;

/**
 * A text cut at the names of added tokens: the first that occurs, of several there the longest.
 * @returns texts and tokens in order, no text empty
 */
export function splitAtTokens<Token extends SpecialToken>(
  text: string,
  tokens: readonly Token[],
): (string | Token)[] {
  const names = tokens.map(({ content }) => content).filter((name) => name !== "")
    .sort((a, b) => b.length - a.length);
  if (names.length === 0) return text === "" ? [] : [text];
  const byName = new Map(tokens.map((token) => [token.content, token]));
  const parts: (string | Token)[] = [];
  let from = 0;
  for (const { 0: name, index } of text.matchAll(new RegExp(names.map(escapePattern).join("|"), "gu"))) {
    const token = byName.get(name)!;
    const end = index + name.length;
    if (token.single_word && (WORD_ENDS.test(text.slice(0, index)) || WORD_BEGINS.test(text.slice(end)))) {
      continue;
    }
    parts.push(text.slice(from, index), token);
    from = end;
  }
  parts.push(text.slice(from));
  // At odd places stand the tokens.
  return parts.flatMap((part, i): (string | Token)[] => {
    if (typeof part !== "string") return [part];
    const left = (parts[i - 1] as Token | undefined)?.rstrip ? part.trimStart() : part;
    const kept = (parts[i + 1] as Token | undefined)?.lstrip ? left.trimEnd() : left;
    return kept === "" ? [] : [kept];
  });
}

/** A pattern that matches `text` and nothing else. */
export function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/gu, "\\$&");
}
