import { UserError } from "../../gpu/errors.ts";
import {
  booleanOf,
  type Metadata,
  numbersOf,
  refuse,
  textOf,
  type Token,
  tokenOf,
  TokenType,
} from "./gguf_values.ts";
import { readMerges, readVocabulary, type Vocabulary } from "./read_gguf_tokens.ts";
import { longestFirst, unescapeWord } from "./greedy_words.ts";
import { PRE_TOKENIZERS } from "./pre_tokenizers.ts";
import { scoreMerges } from "./score_merges.ts";
import type { TokenizerFiles } from "./tokenizer_files.ts";

/**
 * The tokenizer that a GGUF file holds, as the files that Hugging Face would have beside the model: vocabulary,
 * merges, special tokens, what is prepended, and the chat template. Kinds are `gpt2` (byte-level BPE as SmolLM2, Llama 3 and
 * Qwen have it), `llama` (SentencePiece's BPE as Llama 2 and llama2.c have it: scores, bytes for unknown characters) and `rwkv` (whole words, the
 * longest first, as exports of the embedded model have it).
 *
 * @param metadata all keys of the file; those that begin with `tokenizer.` are read
 * @param file its path, for messages
 * @throws UserError if the tokenizer is of another kind (the message names it), or its data is missing or contradicts
 * itself
 */
export function ggufTokenizerFiles(metadata: Metadata, file = "the GGUF file"): TokenizerFiles {
  try {
    return readFiles(metadata);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`Cannot open the tokenizer of ${file}: ${error.message}`, error.hint ?? OTHER_FILE);
  }
}

const OTHER_FILE = "get a newer GGUF file of the model, or open it as a Hugging Face folder";

function readFiles(metadata: Metadata): TokenizerFiles {
  const model = textOf(metadata, "tokenizer.ggml.model");
  if (model !== "gpt2" && model !== "llama" && model !== "rwkv") {
    throw refuse(
      `its kind is ${
        JSON.stringify(model)
      }, "gpt2" (byte-level BPE), "llama" (BPE with scores) or "rwkv" (words) is needed`,
      "open the same model as a Hugging Face folder",
    );
  }
  const vocabulary = readVocabulary(metadata);
  if (model === "rwkv") unescape(vocabulary);
  const kind = { gpt2: byteLevel, llama: sentencePiece, rwkv: words }[model](metadata, vocabulary);
  const named = (role: string) => tokenOf(metadata, role, vocabulary.tokens)?.content;
  // What llama.cpp takes where a file of kind llama names none.
  const usual = (id: number) => model === "llama" ? vocabulary.tokens[id] : undefined;
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    add_bos_token: kind.addsBos,
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    bos_token: kind.bos?.content,
    eos_token: named("eos") ?? usual(2),
    unk_token: named("unknown") ?? usual(0),
    pad_token: named("padding"),
    chat_template: metadata.has("tokenizer.chat_template")
      ? textOf(metadata, "tokenizer.chat_template")
      : undefined,
  };
  return {
    "tokenizer.json": JSON.stringify({
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: vocabulary.added,
      ...kind.definition,
    }),
    "tokenizer_config.json": JSON.stringify(config, null, 2),
  };
}

/** What a kind of tokenizer makes of the vocabulary. */
interface Kind {
  /** The token before every text, if the file names one. */
  bos: Token | undefined;
  addsBos: boolean;
  /** The parts of tokenizer.json that depend on the kind. */
  definition: object;
}

function byteLevel(metadata: Metadata, { tokens, vocab }: Vocabulary): Kind {
  const name = textOf(metadata, "tokenizer.ggml.pre");
  const pre = PRE_TOKENIZERS.get(name);
  if (!pre) {
    const known = [...PRE_TOKENIZERS.keys()].join(", ");
    throw refuse(
      `its pre-tokenizer is ${JSON.stringify(name.slice(0, 80))}, one of ${known} is needed`,
      "open the same model as a Hugging Face folder: its tokenizer.json says how texts are cut",
    );
  }
  const bos = tokenOf(metadata, "bos", tokens);
  const addsBos = booleanOf(metadata, "tokenizer.ggml.add_bos_token") ?? pre.addsBos;
  if (addsBos && bos === undefined) {
    throw refuse("a beginning token is to be prepended but not named, tokenizer.ggml.bos_token_id is needed");
  }
  const begin = addsBos ? bos : undefined;
  const after = { ...BYTE_LEVEL, trim_offsets: false };
  return {
    bos,
    addsBos,
    definition: {
      normalizer: pre.normalizer,
      pre_tokenizer: pre.preTokenizer,
      post_processor: begin ? { type: "Sequence", processors: [after, beginTemplate(begin)] } : after,
      decoder: BYTE_LEVEL,
      model: {
        ...bpe(vocab, readMerges(metadata, vocab)),
        unk_token: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: pre.ignoresMerges,
      },
    },
  };
}

/** Tokens as texts hold them, in place of how this kind writes them. */
function unescape(vocabulary: Vocabulary): void {
  vocabulary.tokens = vocabulary.tokens.map(unescapeWord);
  const known = Object.entries(vocabulary.vocab);
  vocabulary.vocab = Object.fromEntries(known.map(([text, id]) => [unescapeWord(text), id]));
  if (Object.keys(vocabulary.vocab).length < known.length) {
    throw refuse("two of its tokens are the same text, each is needed once");
  }
  vocabulary.added = vocabulary.added.map((token) => ({ ...token, content: unescapeWord(token.content) }));
}

/** Nothing is put before a text, and a word that is not known is an error. */
function words(metadata: Metadata, { vocab, added, tokens }: Vocabulary): Kind {
  if (booleanOf(metadata, "tokenizer.ggml.add_bos_token") === true) {
    throw refuse("it puts a token before every text, which this kind does not");
  }
  const special = new Set(added.map(({ content }) => content));
  const plain = Object.keys(vocab).filter((text) => !special.has(text));
  return {
    bos: tokenOf(metadata, "bos", tokens),
    addsBos: false,
    definition: {
      normalizer: null,
      pre_tokenizer: {
        type: "Split",
        pattern: { Regex: longestFirst(plain) },
        behavior: "Isolated",
        invert: false,
      },
      post_processor: null,
      decoder: { type: "Fuse" },
      model: { type: "WordLevel", vocab, unk_token: "<unk>" },
    },
  };
}

const BLANK = "\u2581";

/** As llama.cpp reads this kind: a blank before each text (unless the file says not), then the best neighbours are joined. */
function sentencePiece(metadata: Metadata, { tokens, vocab, types }: Vocabulary): Kind {
  const scores = numbersOf(metadata, "tokenizer.ggml.scores", tokens.length);
  for (let byte = 0; byte < 256; byte++) {
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    if (!Object.hasOwn(vocab, name)) {
      throw refuse(`it has no token ${name}, one for each byte is needed`);
    }
  }
  const [unknown, first] = ["unknown", "bos"].map((role, id) =>
    tokenOf(metadata, role, tokens) ?? { id, content: tokens[id] }
  );
  const addsBos = booleanOf(metadata, "tokenizer.ggml.add_bos_token") ?? true;
  const prepends = booleanOf(metadata, "tokenizer.ggml.add_space_prefix") ?? true;
  const blanks = { type: "Replace", pattern: { String: " " }, content: BLANK };
  const pieces = tokens.map((text, id) => ({ id, text, score: scores[id] }))
    .filter(({ id }) => types[id] === TokenType.normal);
  return {
    bos: first,
    addsBos,
    definition: {
      normalizer: {
        type: "Sequence",
        normalizers: [...(prepends ? [{ type: "Prepend", prepend: BLANK }] : []), blanks],
      },
      pre_tokenizer: null,
      post_processor: addsBos ? beginTemplate(first) : null,
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: BLANK }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          ...(prepends ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
        ],
      },
      model: {
        ...bpe(vocab, scoreMerges(pieces)),
        unk_token: unknown.content,
        fuse_unk: true,
        byte_fallback: true,
        ignore_merges: false,
      },
    },
  };
}

const bpe = (vocab: Record<string, number>, merges: [string, string][]) => ({
  type: "BPE",
  dropout: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  vocab,
  merges,
});

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };

function beginTemplate(bos: Token): object {
  const begin = { SpecialToken: { id: bos.content, type_id: 0 } };
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  return {
    type: "TemplateProcessing",
    single: [begin, text("A")],
    pair: [begin, text("A"), begin, text("B")],
    special_tokens: { [bos.content]: { id: bos.content, ids: [bos.id], tokens: [bos.content] } },
  };
}
