import { UserError } from "../../gpu/errors.ts";
import type { TypedValue } from "../formats/gguf_writer.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { END_TOKENS } from "./gguf_end_tokens.ts";
import { TokenType } from "./gguf_values.ts";
import { escapeWord, unlikeLongest } from "./greedy_words.ts";
import { PRE_TOKENIZERS } from "./pre_tokenizers.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { type Json, parseTokenizerFile, tokenText } from "./tokenizer_files.ts";

/** What GGUF knows of a kind of tokenizer: its model, and what goes with it. */
interface Kind {
  entries: [string, TypedValue][];
  /** A vocabulary's token as the file writes it, and its type. */
  token(text: string): { text: string; type: number };
  /** A special token as the file writes it; as it is if not given. */
  special?(text: string): string;
}

/**
 * A tokenizer as GGUF's metadata: the way back from gguf_tokenizer.ts. Byte-level BPE as SmolLM2, Llama 3 and Qwen have
 * it becomes `gpt2`; BPE with bytes for unknown characters, as llama2.c and Llama 2 have it, `llama`; a small vocabulary of words, as the
 * embedded model has it, `rwkv`.
 *
 * @param tokenizer with the files it was opened from
 * @param config tells the rows of the embedding, and the end tokens
 * @throws UserError if GGUF has no name for this kind of tokenizer
 */
export function writeGgufTokens(tokenizer: Tokenizer, config: ModelConfig): Map<string, TypedValue> {
  const definition = parseTokenizerFile(tokenizer.files["tokenizer.json"], "tokenizer", "tokenizer.json");
  const settings = parseTokenizerFile(
    tokenizer.files["tokenizer_config.json"] ?? "{}",
    "tokenizer",
    "tokenizer_config.json",
  );
  const kind = kindOf(definition, tokenizer);
  const { texts, types } = tokensOf(definition, kind, config.vocabSize);
  const entries = new Map<string, TypedValue>(kind.entries);
  entries.set("tokenizer.ggml.tokens", { type: "strings", value: texts });
  entries.set("tokenizer.ggml.token_type", { type: "i32s", value: types });
  const merges = mergesOf(definition);
  const model = entries.get("tokenizer.ggml.model")?.value;
  if (model === "gpt2") {
    entries.set("tokenizer.ggml.merges", { type: "strings", value: merges.map((pair) => pair.join(" ")) });
  } else if (model === "llama") {
    const blank = (text: string) => kind.token(text).text;
    entries.set("tokenizer.ggml.scores", { type: "f32s", value: scoresOf(texts, merges, blank) });
  }
  const named = (key: string) => tokenizer.idOf(tokenText(settings[key]) ?? "");
  const role = (name: string, id: number | undefined) => {
    if (id !== undefined) entries.set(`tokenizer.ggml.${name}_token_id`, { type: "u32", value: id });
  };
  const eos = tokenizer.eosId ?? config.eosTokenIds[0];
  const [eot, eom] = config.eosTokenIds.filter((id) => id !== eos);
  role("bos", tokenizer.bosId ?? named("bos_token") ?? config.bosTokenId);
  role("eos", eos);
  role("eot", eot);
  role("eom", eom);
  entries.set(END_TOKENS, { type: "i32s", value: config.eosTokenIds });
  role("unknown", named("unk_token"));
  role("padding", named("pad_token"));
  entries.set("tokenizer.ggml.add_bos_token", { type: "bool", value: tokenizer.bosId !== undefined });
  for (const [name, template] of templatesOf(tokenizer, settings)) {
    const suffix = name === "default" ? "" : `.${name}`;
    entries.set(`tokenizer.chat_template${suffix}`, { type: "string", value: template });
  }
  return entries;
}

function kindOf(definition: Json, tokenizer: Tokenizer): Kind {
  const model = definition.model as Json | undefined;
  if (model?.type === "WordLevel") return wordKind(definition, tokenizer);
  if (model?.type !== "BPE") {
    throw refuse(
      `it is of kind ${JSON.stringify(model?.type)}, byte-pair encoding or a vocabulary of words is needed`,
    );
  }
  if (model.byte_fallback === true) return sentencePieceKind(definition);
  const wanted = signature(definition.pre_tokenizer, definition.normalizer, model.ignore_merges === true);
  for (const [name, { preTokenizer, normalizer, ignoresMerges }] of PRE_TOKENIZERS) {
    if (signature(preTokenizer, normalizer, ignoresMerges) !== wanted) continue;
    return {
      entries: [
        ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
        ["tokenizer.ggml.pre", { type: "string", value: name }],
      ],
      token: (text) => ({ text, type: TokenType.normal }),
    };
  }
  throw refuse(
    `the way it cuts texts is none that GGUF has a name for here, that of ${
      [...PRE_TOKENIZERS.keys()].join(", ")
    } is needed`,
  );
}

/** What decides about the pieces that texts are cut into, as one text. */
function signature(preTokenizer: unknown, normalizer: unknown, ignoresMerges: boolean): string {
  const steps = (one: unknown, list: string): unknown[] => {
    const step = one as Json | null | undefined;
    if (!step) return [];
    if (Array.isArray(step[list])) return (step[list] as unknown[]).flatMap((inner) => steps(inner, list));
    const { type, pattern, individual_digits: digits, use_regex: regex, add_prefix_space: prefix } = step;
    if (type === "ByteLevel") return [[type, regex ?? true, prefix ?? false]];
    const how = type === "Split" ? [step.behavior, step.invert ?? false] : [];
    return [[type, pattern ?? null, digits ?? null, ...how]];
  };
  return JSON.stringify([
    steps(preTokenizer, "pretokenizers"),
    steps(normalizer, "normalizers"),
    ignoresMerges,
  ]);
}

function wordKind({ model, normalizer, added_tokens: added }: Json, tokenizer: Tokenizer): Kind {
  if (normalizer) throw refuse("it changes texts before it looks words up, which GGUF has no name for");
  const special = new Set((added as { content: string }[] ?? []).map(({ content }) => content));
  const words = Object.entries((model as { vocab: Record<string, number> }).vocab);
  let unlike: string | undefined;
  try {
    unlike = unlikeLongest(
      new Map(words.filter(([text]) => !special.has(text))),
      (text) => [...tokenizer.encode(text)],
    );
  } catch (error) {
    if (error instanceof UserError) throw refuse(error.message);
    throw error;
  }
  if (unlike !== undefined) {
    throw refuse(
      `it cuts ${
        JSON.stringify(unlike.slice(0, 80))
      } otherwise than into the longest words, which is what GGUF has`,
    );
  }
  return {
    entries: [["tokenizer.ggml.model", { type: "string", value: "rwkv" }]],
    token: (text) => ({ text: escapeWord(text), type: TokenType.normal }),
    special: escapeWord,
  };
}

/** Blanks are written as U+2581 there, bytes as `<0x0A>`. */
function sentencePieceKind(definition: Json): Kind {
  const prepends = /"Prepend"/.test(JSON.stringify(definition.normalizer ?? null));
  return {
    entries: [
      ["tokenizer.ggml.model", { type: "string", value: "llama" }],
      ["tokenizer.ggml.pre", { type: "string", value: "default" }],
      ["tokenizer.ggml.add_space_prefix", { type: "bool", value: prepends }],
    ],
    token: (text) =>
      /^<0x[0-9A-F]{2}>$/.test(text)
        ? { text, type: TokenType.byte }
        : { text: text.replaceAll(" ", "\u2581"), type: TokenType.normal },
  };
}

/** Every row of the embedding has a token; those without one in the tokenizer are unused. */
function tokensOf(definition: Json, kind: Kind, vocabSize: number): { texts: string[]; types: number[] } {
  const model = definition.model as { vocab: Record<string, number>; unk_token?: string | null };
  const texts = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const types = new Array<number>(vocabSize).fill(TokenType.unused);
  const put = (id: number, text: string, type: number) => {
    if (id >= vocabSize) {
      throw refuse(
        `its token ${JSON.stringify(text.slice(0, 40))} is ${id}, an id below ${vocabSize} is needed`,
      );
    }
    [texts[id], types[id]] = [text, type];
  };
  for (const [text, id] of Object.entries(model.vocab)) {
    const token = kind.token(text);
    put(id, token.text, token.type);
  }
  const added = (definition.added_tokens ?? []) as { id: number; content: string; special: boolean }[];
  for (const { id, content, special } of added) {
    put(id, kind.special?.(content) ?? content, special ? TokenType.control : TokenType.userDefined);
  }
  const unknown = typeof model.unk_token === "string" ? model.vocab[model.unk_token] : undefined;
  if (unknown !== undefined) types[unknown] = TokenType.unknown;
  return { texts, types };
}

function mergesOf(definition: Json): [string, string][] {
  const { merges } = definition.model as { merges?: unknown };
  // Older files write a merge as one text with a blank between its tokens.
  return (merges as (string | [string, string])[] ?? []).map((merge) =>
    typeof merge === "string" ? merge.split(" ") as [string, string] : merge
  );
}

/** The sooner a token is merged, the higher its score. */
function scoresOf(
  texts: readonly string[],
  merges: [string, string][],
  blank: (text: string) => string,
): number[] {
  const ranks = new Map<string, number>();
  for (const [left, right] of merges) {
    const whole = blank(left + right);
    if (!ranks.has(whole)) ranks.set(whole, ranks.size + 1);
  }
  return texts.map((text) => -(ranks.get(text) ?? 0));
}

/** Chat templates by name; the one that is used is called default. */
function templatesOf({ files }: Tokenizer, settings: Json): [string, string][] {
  const own = files["chat_template.jinja"];
  if (own !== undefined) return [["default", own]];
  const template = settings.chat_template;
  if (typeof template === "string") return [["default", template]];
  if (!Array.isArray(template)) return [];
  return template.filter((one) => typeof one?.name === "string" && typeof one.template === "string")
    .map((one): [string, string] => [one.name, one.template]);
}

function refuse(what: string): UserError {
  return new UserError(
    `Cannot write the tokenizer into a GGUF file: ${what}`,
    "export as safetensors, where the tokenizer's own files lie beside the weights",
  );
}
