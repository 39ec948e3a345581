/** Texts are cut as Hugging Face's Rust library cuts them, and begin with what transformers 5 puts before them. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { chatTemplate } from "../../../model/tokenizer/chat_template.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { writeGgufTokens } from "../../../model/tokenizer/write_gguf_tokens.ts";
import { root } from "../../support/places.ts";
import { BYTE_MODELS, byteTokenizer } from "../support/byte_models.ts";

const goldenOf = (name: string) =>
  JSON.parse(Deno.readTextFileSync(`${root}tests/golden/tokenizers/${name}.json`));

// deno-lint-ignore no-explicit-any
type Part = any;

const cuts: { definition: Part; texts: string[]; cases: (Part & { ids: number[][] })[] } = goldenOf("cuts");

const open = (changes: Part, config: Part = {}) =>
  loadTokenizer({
    "tokenizer.json": JSON.stringify({ ...cuts.definition, ...changes }),
    "tokenizer_config.json": JSON.stringify(config),
  });

const kinds = Object.groupBy(
  cuts.cases,
  ({ pre_tokenizer: pre, added_tokens: added }) =>
    added ? "added tokens" : pre.type === "Split" ? `Split, ${pre.behavior}` : pre.type,
);

for (const [kind, cases] of Object.entries(kinds)) {
  Deno.test(`texts are cut as the Rust library cuts them: ${kind}, ${cases!.length}`, () => {
    for (const { ids, ...changes } of cases!) {
      const tokenizer = open(changes);
      cuts.texts.forEach((text, i) =>
        assertEquals(tokenizer.encode(text), ids[i], JSON.stringify([changes, text]))
      );
    }
  });
}

Deno.test("what cannot be cut alike is refused by name", () => {
  const split = (more: Part) => ({
    pre_tokenizer: { type: "Split", pattern: { String: "-" }, invert: false, ...more },
  });
  for (const behavior of ["removed", "Merged", "", null, undefined, 3]) {
    assertThrows(() => open(split({ behavior })), UserError, "a Split of behaviour");
  }
  const token = (content: string, more: Part) => ({
    id: 900,
    content,
    special: false,
    lstrip: false,
    rstrip: false,
    ...more,
  });
  const added = [
    token("<sw>", { single_word: true, normalized: false }),
    token("<n>", { id: 901, normalized: true }),
  ];
  assertThrows(
    () => open({ added_tokens: added, normalizer: { type: "NFC" } }),
    UserError,
    '"<n>" is looked for in normalised',
  );
  open({ added_tokens: added });
});

Deno.test("an added token that counts as a word is decoded and found by its name, as others are", () => {
  for (const decoder of [null, { type: "Fuse" }, { type: "BPEDecoder", suffix: "</w>" }]) {
    const of = (single_word: boolean) => {
      const token = {
        id: 900,
        content: "<sw>",
        special: false,
        single_word,
        lstrip: false,
        rstrip: false,
        normalized: false,
      };
      return open({ added_tokens: [token], decoder });
    };
    const [word, plain] = [of(true), of(false)];
    assertEquals(word.encode("a <sw> b"), plain.encode("a <sw> b"));
    assertEquals(word.decode(word.encode("a <sw> b")), plain.decode(plain.encode("a <sw> b")));
    assertEquals([word.idOf("<sw>"), word.size, word.tokenText(900)], [
      900,
      plain.size,
      plain.tokenText(900),
    ]);
  }
});

Deno.test("a special token that counts as a word only stays text within one, in a template, too", () => {
  const special = {
    id: 900,
    content: "<sw>",
    special: true,
    single_word: true,
    lstrip: false,
    rstrip: false,
  };
  const config = { chat_template: "<sw> a<sw>b (<sw>){{ messages[0].content }}" };
  const tokenizer = open({ added_tokens: [special] }, config);
  const { ids } = chatTemplate(tokenizer).render([{ role: "user", content: "<sw>" }]);
  assertEquals(ids.filter((id) => id === 900).length, 2);
});

Deno.test("GGUF has no name for a Split that is not Isolated", () => {
  const { config, pre, addsBos } = BYTE_MODELS["qwen-2"];
  const files = byteTokenizer(pre, addsBos).files;
  const definition = JSON.parse(files["tokenizer.json"]);
  writeGgufTokens(loadTokenizer(files), config);
  for (const change of [{ behavior: "MergedWithNext" }, { behavior: "Removed" }, { invert: true }]) {
    const [split, ...rest] = definition.pre_tokenizer.pretokenizers;
    const changed = {
      ...definition,
      pre_tokenizer: { type: "Sequence", pretokenizers: [{ ...split, ...change }, ...rest] },
    };
    const tokenizer = loadTokenizer({ ...files, "tokenizer.json": JSON.stringify(changed) });
    assertThrows(() => writeGgufTokens(tokenizer, config), UserError, "the way it cuts texts is none");
  }
});

Deno.test("the template of tokenizer.json decides what a text begins with, as in transformers 5, 540 cases", () => {
  const { posts, definition, cases } = goldenOf("begins");
  for (const { post, config, ids } of cases) {
    const tokenizer = loadTokenizer({
      "tokenizer.json": JSON.stringify({ ...definition, post_processor: posts[post] }),
      "tokenizer_config.json": JSON.stringify(config),
    });
    assertEquals(tokenizer.encode("a"), [3]);
    assertEquals(tokenizer.bosId, ids[0] === 3 ? undefined : ids[0], JSON.stringify([post, config]));
  }
  assert(cases.length === 540);
});
