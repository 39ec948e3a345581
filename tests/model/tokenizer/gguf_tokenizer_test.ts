import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import type { GgufValue } from "../../../model/formats/gguf_header.ts";
import { ggufEndTokenIds } from "../../../model/tokenizer/gguf_end_tokens.ts";
import { ggufTokenizerFiles } from "../../../model/tokenizer/gguf_tokenizer.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";

/** A few tokens: `Ġ` is a blank. */
const METADATA: Record<string, GgufValue> = {
  "tokenizer.ggml.model": "gpt2",
  "tokenizer.ggml.pre": "smollm",
  "tokenizer.ggml.tokens": [
    "<|end|>",
    "<|im_end|>",
    "a",
    "b",
    "Ġ",
    "ab",
    "Ġab",
    "<tool>",
    "[PAD8]",
    "1",
    "12",
  ],
  "tokenizer.ggml.token_type": [3, 3, 1, 1, 1, 1, 1, 4, 5, 1, 1],
  "tokenizer.ggml.merges": ["a b", "Ġ ab", "1 1"].slice(0, 2),
  "tokenizer.ggml.eos_token_id": 0,
  "tokenizer.chat_template": "{{ messages }}",
};

const changed = (changes: Record<string, GgufValue | undefined>) =>
  new Map(
    Object.entries<GgufValue | undefined>({ ...METADATA, ...changes }).filter((entry) =>
      entry[1] !== undefined
    ),
  ) as Map<string, GgufValue>;

Deno.test("a tokenizer from GGUF metadata: tokens, merges, special tokens, template", () => {
  const files = ggufTokenizerFiles(changed({}));
  const tokenizer = loadTokenizer(files);
  assertEquals(tokenizer.encode("ab ab ba<tool>11"), [5, 6, 4, 3, 2, 7, 9, 9]);
  assertEquals(tokenizer.decode([0, 5, 6, 7, 8, 9]), "ab ab<tool>1");
  assertEquals([tokenizer.bosId, tokenizer.eosId, tokenizer.size], [undefined, 0, 11]);
  assertEquals(tokenizer.specialTokens.map(({ id }) => id), [0, 1]);
  const config = JSON.parse(files["tokenizer_config.json"]!);
  assertEquals([config.eos_token, config.chat_template], ["<|end|>", "{{ messages }}"]);
});

Deno.test("a tokenizer from GGUF metadata: what is prepended", () => {
  const bosOf = (changes: Record<string, GgufValue>) =>
    loadTokenizer(ggufTokenizerFiles(changed(changes))).bosId;
  const bos = { "tokenizer.ggml.bos_token_id": 1 };
  assertEquals(bosOf(bos), undefined);
  assertEquals(bosOf({ ...bos, "tokenizer.ggml.add_bos_token": true }), 1);
  assertEquals(bosOf({ ...bos, "tokenizer.ggml.pre": "llama-bpe" }), 1);
  assertEquals(
    bosOf({ ...bos, "tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.add_bos_token": false }),
    undefined,
  );
  assertEquals(bosOf({ ...bos, "tokenizer.ggml.pre": "qwen2" }), undefined);
});

Deno.test("end tokens of GGUF metadata: the stated ones, and control tokens that are known to end a turn", () => {
  assertEquals(ggufEndTokenIds(changed({})), [0, 1]);
  assertEquals(ggufEndTokenIds(changed({ "tokenizer.ggml.eot_token_id": 2 })), [0, 2, 1]);
  assertEquals(ggufEndTokenIds(changed({ "tokenizer.ggml.eos_token_id": undefined })), [1]);
  const types = [3, 1, 1, 1, 1, 1, 1, 4, 5, 1, 1];
  assertEquals(ggufEndTokenIds(changed({ "tokenizer.ggml.token_type": types })), [0]);
});

Deno.test("GGUF metadata without a usable tokenizer is refused, saying why", () => {
  const tokens = METADATA["tokenizer.ggml.tokens"] as string[];
  const refused: [Record<string, GgufValue | undefined>, string][] = [
    [
      { "tokenizer.ggml.model": "bert" },
      'its kind is "bert", "gpt2" (byte-level BPE), "llama" (BPE with scores) or "rwkv"',
    ],
    [{ "tokenizer.ggml.model": undefined }, "tokenizer.ggml.model is missing"],
    [{ "tokenizer.ggml.pre": "kimi-k2" }, '"kimi-k2", one of smollm, '],
    [{ "tokenizer.ggml.pre": undefined }, "tokenizer.ggml.pre is missing"],
    [{ "tokenizer.ggml.tokens": undefined }, "tokenizer.ggml.tokens is missing"],
    [{ "tokenizer.ggml.tokens": [] }, "0 tokens"],
    [{ "tokenizer.ggml.tokens": [1, 2] }, "a list of texts is needed"],
    [{ "tokenizer.ggml.tokens": tokens.slice(1) }, "10 tokens but 11 entries"],
    [{ "tokenizer.ggml.tokens": tokens.map((t) => t === "b" ? "a" : t) }, 'tokens 2 and 3 are both "a"'],
    [{ "tokenizer.ggml.tokens": tokens.map((t) => t === "b" ? "" : t) }, "token 3 is empty"],
    [{ "tokenizer.ggml.tokens": tokens.map((t) => t === "ab" ? "ba" : t) }, 'needs the token "ab"'],
    [{ "tokenizer.ggml.token_type": undefined }, "token_type is missing"],
    [{ "tokenizer.ggml.token_type": tokens.map(() => 7) }, "the type of its token 0 is 7"],
    [{ "tokenizer.ggml.token_type": tokens.map(() => "1") }, "the type of its token 0 is"],
    [{ "tokenizer.ggml.merges": undefined }, "merges is missing"],
    [{ "tokenizer.ggml.merges": ["ab"] }, 'merge 0 is "ab"'],
    [{ "tokenizer.ggml.merges": ["a b c"] }, 'merge 0 is "a b c"'],
    [{ "tokenizer.ggml.merges": [" b"] }, "two tokens with a blank between"],
    [{ "tokenizer.ggml.eos_token_id": "0" }, "an id below 11 is needed"],
    [{ "tokenizer.ggml.add_bos_token": true }, "bos_token_id is needed"],
    [{ "tokenizer.ggml.add_bos_token": 1 }, "true or false is needed"],
    [{ "tokenizer.chat_template": [] }, "a text is needed"],
  ];
  for (const [changes, message] of refused) {
    const error = assertThrows(() => ggufTokenizerFiles(changed(changes), "a.gguf"), UserError, message);
    assertStringIncludes(error.message, "Cannot open the tokenizer of a.gguf: ");
    assertStringIncludes(error.hint!, "Hugging Face folder");
  }
});

const BYTES = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
);
const PIECES = ["ab", "bc", "abc", "▁a", "a", "b", "c", "▁", "▁▁", "<tool>"];
const SPIECE = [...["<unk>", "<s>", "</s>"], ...BYTES, ...PIECES];

/** SentencePiece's BPE, as Llama 2's files have it: pieces with the scores -1, -2, ... */
const SENTENCE_PIECE: Record<string, GgufValue> = {
  "tokenizer.ggml.model": "llama",
  "tokenizer.ggml.tokens": SPIECE,
  "tokenizer.ggml.scores": SPIECE.map((_, id) => -id),
  "tokenizer.ggml.token_type": [2, 3, 3, ...BYTES.map(() => 6), ...PIECES.map(() => 1)].with(-1, 4),
};

const pieceTokenizer = (changes: Record<string, GgufValue> = {}) =>
  loadTokenizer(ggufTokenizerFiles(new Map(Object.entries({ ...SENTENCE_PIECE, ...changes }))));

Deno.test("a GGUF tokenizer of kind llama: a blank first, joined by score, bytes for the rest", () => {
  const id = (piece: string) => SPIECE.indexOf(piece);
  const tokenizer = pieceTokenizer();
  assertEquals([tokenizer.bosId, tokenizer.eosId, tokenizer.size], [1, 2, SPIECE.length]);
  // "ab" is worth more than "bc" and than "▁a".
  assertEquals(tokenizer.encode("abc"), [id("▁"), id("abc")]);
  assertEquals(tokenizer.encode("a bc"), [id("▁a"), id("▁"), id("bc")]);
  assertEquals(tokenizer.encode("é"), [id("▁"), 3 + 0xc3, 3 + 0xa9]);
  assertEquals(tokenizer.encode("a<tool>"), [id("▁a"), id("<tool>")]);
  assertEquals(tokenizer.encode("<s>").includes(1), false);
  for (const text of ["abc aab", "  é\n", "<s>a</s>", "<0x41>", "🙂"]) {
    assertEquals(tokenizer.decode([1, ...tokenizer.encode(text), 2]), text);
  }
});

Deno.test("a GGUF tokenizer of kind llama: what the file may say of blanks and ends, and what it must", () => {
  const plain = pieceTokenizer({
    "tokenizer.ggml.add_space_prefix": false,
    "tokenizer.ggml.add_bos_token": false,
  });
  assertEquals([plain.bosId, plain.encode("ab")], [undefined, [SPIECE.indexOf("ab")]]);
  assertEquals(plain.decode(plain.encode(" ab")), " ab");
  assertEquals(ggufEndTokenIds(new Map(Object.entries(SENTENCE_PIECE))), [2]);
  const refused = (changes: Record<string, GgufValue>, message: string) =>
    assertThrows(() => pieceTokenizer(changes), UserError, message);
  refused({ "tokenizer.ggml.scores": [0] }, `${SPIECE.length} tokens but 1 entries in tokenizer.ggml.scores`);
  refused({ "tokenizer.ggml.scores": SPIECE.map(() => NaN) }, "a list of finite numbers is needed");
  const without = SPIECE.map((text) => text === "<0x0A>" ? "x" : text);
  refused({ "tokenizer.ggml.tokens": without }, "it has no token <0x0A>, one for each byte is needed");
});
