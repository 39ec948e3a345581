import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { makeTokenizerFiles } from "../../../model/builtin/make_tokenizer.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";
import { PADDED_VOCAB_SIZE, VOCABULARY } from "../../../model/builtin/words.ts";
import { loadTokenizer, streamDecoder } from "../../../model/tokenizer/tokenizer.ts";
import { inFolder } from "../../support/folders.ts";
import { byteLevelFiles } from "../support/byte_level_files.ts";

const PROMPT = "User: Sam has 10 coins. Sam doubles them. Sam wins 2 more. Sam loses 13. " +
  "How many coins does Sam have? Assistant:";

Deno.test("embedded tokenizer: texts of the task come back byte for byte", () => {
  const tokenizer = builtinTokenizer();
  const texts = [
    PROMPT,
    PROMPT + " 10 * 2 = 20. 20 + 2 = 22. 22 - 13 = 9. The final answer is: \\boxed{9}",
    " \\boxed{",
    "\\boxed{",
    " The final answer is: \\boxed{",
    "The final answer is:",
    "25}",
    " 7 * 3 = 21.",
  ];
  for (const text of texts) assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
  assertEquals(tokenizer.decode([]), "");
});

Deno.test("embedded tokenizer: ids, tokens and padding", () => {
  const tokenizer = builtinTokenizer();
  assertEquals(tokenizer.encode(PROMPT).map((id) => tokenizer.tokenText(id)).slice(0, 9), [
    ...["User:", " Sam", " has", " 1", "0", " coins.", " Sam", " doubles them.", " Sam"],
  ]);
  assertEquals(tokenizer.encode(PROMPT).length, 23);
  assertEquals(tokenizer.size, VOCABULARY.length);
  assertEquals(new Set(VOCABULARY).size, VOCABULARY.length);
  assert(tokenizer.size <= PADDED_VOCAB_SIZE);
  assertEquals(tokenizer.eosId, 0);
  assertEquals(tokenizer.idOf("<|end|>"), 0);
  assertEquals(tokenizer.bosId, undefined);
  assertThrows(() => tokenizer.encode("25}<|end|>"), UserError, '"<", "|"');
  assertEquals(tokenizer.decode([0, PADDED_VOCAB_SIZE - 1, ...tokenizer.encode(" Sam"), 0]), " Sam");
});

Deno.test("embedded tokenizer: unknown words are named", () => {
  const tokenizer = builtinTokenizer();
  const error = assertThrows(
    () => tokenizer.encode("User: Samuel has 10 coins. Sam loves 3 émus."),
    UserError,
  );
  for (const word of [" Samuel", " loves"]) {
    assert(error.message.includes(JSON.stringify(word)), error.message);
  }
  assert(!error.message.includes("coins"), error.message);
  assert(error.hint?.includes("--model; this one knows few words: The, has, "), error.hint);
});

Deno.test("embedded tokenizer: the files are what the script writes", () => {
  const tokenizer = builtinTokenizer();
  assertEquals<object>({ ...tokenizer.files }, makeTokenizerFiles());
});

/** A byte-level BPE as Llama 3 and Qwen have it: every byte a token, some merges, a template that prepends. */
function byteFiles(config: Record<string, unknown> = {}) {
  const added = (id: number, content: string, special: boolean) => ({
    id,
    content,
    special,
    normalized: false,
  });
  const merges: [string, string][] = [["h", "e"], ["l", "l"], ["Ġ", "he"], ["Ã", "©"]];
  return byteLevelFiles({ merges }, {
    added_tokens: [added(260, "<s>", true), added(261, "</s>", true), added(262, "<tool é>", false)],
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [260], tokens: ["<s>"] } },
    },
  }, { bos_token: "<s>", eos_token: { content: "</s>" }, ...config });
}

Deno.test("byte-level tokenizer: any text comes back, special tokens are skipped", () => {
  const tokenizer = loadTokenizer(byteFiles());
  for (const text of ["hello hello", "é日本\ufeff🙂\u0000\n", "a<tool é>b", " ."]) {
    assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
  }
  assertEquals(tokenizer.encode(" he"), [258]);
  assertEquals(tokenizer.decode([260, 258, 261]), " he");
  assertEquals(tokenizer.eosId, 261);
  assertEquals(tokenizer.idOf("</s>"), 261);
  assertEquals(tokenizer.size, 263);
  assertEquals(tokenizer.specialTokens.map(({ content }) => content), ["<s>", "</s>"]);
});

Deno.test("byte-level tokenizer: the names of special tokens in a text are text, other added tokens are found", () => {
  const tokenizer = loadTokenizer(byteFiles());
  const text = "<s>he</s> </s><tool é>";
  const ids = tokenizer.encode(text);
  assert(ids.every((id) => id !== 260 && id !== 261));
  assertEquals(ids.at(-1), 262);
  assertEquals(tokenizer.decode(ids), text);
});

Deno.test("byte-level tokenizer: a stream holds back unfinished characters", () => {
  const tokenizer = loadTokenizer(byteFiles());
  const text = "hé🙂日";
  const stream = streamDecoder(tokenizer);
  const parts = tokenizer.encode(text).map((id) => stream.push(id));
  assertEquals(parts.join("") + stream.end(), text);
  assert(parts.every((part) => !part.includes("\ufffd")));
  assert(parts.includes("🙂") && parts.includes(""));
  const cut = streamDecoder(tokenizer);
  assertEquals(cut.push(tokenizer.encode("🙂")[0]) + cut.end(), "\ufffd");
});

Deno.test("beginning of sequence: as the template of tokenizer.json says", () => {
  assertEquals(loadTokenizer(byteFiles()).bosId, 260);
  assertEquals(loadTokenizer(byteFiles({ add_bos_token: true })).bosId, 260);
  assertEquals(loadTokenizer(byteFiles({ add_bos_token: false })).bosId, 260);
  const without = byteFiles();
  const json = JSON.parse(without["tokenizer.json"]);
  const bare = { ...without, "tokenizer.json": JSON.stringify({ ...json, post_processor: null }) };
  assertEquals(loadTokenizer(bare).bosId, undefined);
});

Deno.test("sentencepiece tokenizer: blanks and byte fallback, alone and in a text", () => {
  const vocab = { "<unk>": 0, "▁hi": 1, "<0xC3>": 2, "<0xA9>": 3, "▁": 4, "h": 5, "i": 6, "hi": 7 };
  const files = {
    "tokenizer.json": JSON.stringify({
      version: "1.0",
      added_tokens: [],
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "Prepend", prepend: "▁" },
          { type: "Replace", pattern: { String: " " }, content: "▁" },
        ],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "▁" }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      model: {
        type: "BPE",
        vocab,
        merges: [["h", "i"], ["▁", "hi"]],
        byte_fallback: true,
        unk_token: "<unk>",
      },
    }),
  };
  const tokenizer = loadTokenizer(files);
  assertEquals(tokenizer.encode("hi hié"), [1, 1, 2, 3]);
  assertEquals(tokenizer.decode([1, 1, 2, 3]), "hi hié");
  assertEquals(tokenizer.decode([1, 1], true), " hi hi");
  assertEquals(tokenizer.tokenText(1), " hi");
  const stream = streamDecoder(tokenizer);
  assertEquals([1, 2, 3].map((id) => stream.push(id)), [" hi", "", "é"]);
  assertThrows(() => tokenizer.encode("x"), UserError);
});

Deno.test("tokenizer files: what is wrong is said", () =>
  inFolder((folder) => {
    assertThrows(() => loadTokenizer(folder), UserError, "no tokenizer.json");
    Deno.writeTextFileSync(`${folder}/tokenizer.json`, "{");
    assertThrows(() => loadTokenizer(folder), UserError, "not JSON");
    Deno.writeTextFileSync(`${folder}/tokenizer.json`, "[]");
    assertThrows(() => loadTokenizer(folder), UserError, "no object");
    Deno.writeTextFileSync(`${folder}/tokenizer.json`, "{}");
    assertThrows(() => loadTokenizer(folder), UserError, "Cannot open the tokenizer");
    for (const [name, text] of Object.entries(makeTokenizerFiles())) {
      Deno.writeTextFileSync(`${folder}/${name}`, text);
    }
    assertEquals(loadTokenizer(folder).size, VOCABULARY.length);
    assertEquals(loadTokenizer(new URL(`file://${folder}`)).size, VOCABULARY.length);
  }));
