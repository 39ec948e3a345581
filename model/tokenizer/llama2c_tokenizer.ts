import { UserError } from "../../gpu/errors.ts";
import { scoreMerges } from "./score_merges.ts";
import type { TokenizerFiles } from "./tokenizer_files.ts";

/** Llama 2 has 32,000. */
const MOST_TOKENS = 1 << 20;
const LONGEST_TOKEN = 1024;
/** Ids 0, 1 and 2; the file writes the last two with line breaks around them. */
const SPECIAL = ["<unk>", "<s>", "</s>"];
const BYTES = 256;

/**
 * The tokenizer of a llama2.c model (`tok512.bin`, `tokenizer.bin`): byte-pair encoding that joins, of all neighbours
 * that form a token, those with the highest score, after a blank has been put before the text; characters without a
 * token are written as bytes. Every prompt begins with `<s>`.
 *
 * Scores become merges: of each token all its pairs of tokens, the highest score first. The file's blanks stay
 * blanks, so a `▁` in a text is that character.
 *
 * @param bytes the file: the longest token's length, then a score, a length and the bytes for each token
 * @param vocabSize tokens of the model; the file does not tell how many it has
 * @returns what Hugging Face would have beside the model
 * @throws UserError if the file is too short or too long for this many tokens, or no vocabulary of this kind
 */
export function llama2cTokenizerFiles(bytes: Uint8Array, vocabSize: number): TokenizerFiles {
  const pieces = readPieces(bytes, vocabSize);
  const ids = new Map<string, number>();
  pieces.forEach(({ text }, id) => {
    if (ids.has(text)) {
      throw refuse(`tokens ${ids.get(text)} and ${id} are both ${JSON.stringify(text)}, each is needed once`);
    }
    ids.set(text, id);
  });
  const added = SPECIAL.map((content, id) => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  }));
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const begin = { SpecialToken: { id: "<s>", type_id: 0 } };
  const definition = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: "Prepend", prepend: " " },
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [begin, text("A")],
      pair: [begin, text("A"), begin, text("B")],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [{ type: "ByteFallback" }, { type: "Fuse" }, {
        type: "Strip",
        content: " ",
        start: 1,
        stop: 0,
      }],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(ids),
      merges: scoreMerges(pieces.map((piece, id) => ({ ...piece, id })).slice(SPECIAL.length + BYTES)),
    },
  };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    add_bos_token: true,
    clean_up_tokenization_spaces: false,
    bos_token: "<s>",
    eos_token: "</s>",
    unk_token: "<unk>",
  };
  return {
    "tokenizer.json": JSON.stringify(definition),
    "tokenizer_config.json": JSON.stringify(config, null, 2),
  };
}

interface Piece {
  text: string;
  score: number;
}

function readPieces(bytes: Uint8Array, vocabSize: number): Piece[] {
  const fewest = SPECIAL.length + BYTES;
  if (!Number.isInteger(vocabSize) || vocabSize < fewest || vocabSize > MOST_TOKENS) {
    throw refuse(`the model has ${vocabSize} tokens, ${fewest} to ${MOST_TOKENS} are possible`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let at = 4;
  const pieces = Array.from({ length: vocabSize }, (_, id): Piece => {
    if (at + 8 > bytes.length) {
      throw refuse(`it ends after ${id} tokens, ${vocabSize} are needed`, "is it that of another model?");
    }
    const [score, length] = [view.getFloat32(at, true), view.getInt32(at + 4, true)];
    at += 8;
    if (length < 1 || length > LONGEST_TOKEN || at + length > bytes.length || !Number.isFinite(score)) {
      throw refuse(`token ${id} has the score ${score} and ${length} bytes, the file is damaged`);
    }
    at += length;
    try {
      return { text: utf8.decode(bytes.subarray(at - length, at)), score };
    } catch {
      throw refuse(`token ${id} is no text, UTF-8 is needed`);
    }
  });
  if (at !== bytes.length) {
    const hint = "is it that of another model?";
    throw refuse(`${bytes.length - at} bytes follow the ${vocabSize} tokens of the model`, hint);
  }
  checkLayout(pieces);
  return pieces.map((piece, id) => id < SPECIAL.length ? { ...piece, text: SPECIAL[id] } : piece);
}

/** Three special tokens, then the 256 bytes: what llama2.c takes for granted. */
function checkLayout(pieces: readonly Piece[]): void {
  SPECIAL.forEach((text, id) => {
    if (pieces[id].text.trim() !== text) throw misplaced(id, pieces[id].text, text);
  });
  for (let byte = 0; byte < BYTES; byte++) {
    const id = SPECIAL.length + byte;
    const text = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    if (pieces[id].text !== text) throw misplaced(id, pieces[id].text, text);
  }
}

function misplaced(id: number, found: string, wanted: string): UserError {
  return refuse(
    `token ${id} is ${JSON.stringify(found.slice(0, 40))}, ${JSON.stringify(wanted)} is needed there`,
  );
}

function refuse(what: string, hint?: string): UserError {
  return new UserError(`Cannot open the tokenizer of the llama2.c model: ${what}`, hint);
}
