/** The names of GGUF's pre-tokenizers: texts are cut as llama.cpp cuts them, names that it does not know are refused. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import type { GgufValue } from "../../../model/formats/gguf_header.ts";
import { ggufTokenizerFiles } from "../../../model/tokenizer/gguf_tokenizer.ts";
import { PRE_TOKENIZERS } from "../../../model/tokenizer/pre_tokenizers.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { root } from "../../support/places.ts";
import { warningsOf } from "../../support/warnings_of.ts";

interface Golden {
  tokens: string[];
  merges: string[];
  texts: string[];
  /** For each name the number of its ids. */
  names: Record<string, number | null>;
  /** Names under which the beginning token is prepended. */
  addsBos: string[];
  ids: number[][][];
}

const golden: Golden = JSON.parse(Deno.readTextFileSync(`${root}tests/golden/tokenizers/pre.json`));

function metadataOf(pre: string, changes: Record<string, GgufValue> = {}): Map<string, GgufValue> {
  const { tokens, merges } = golden;
  return new Map<string, GgufValue>(Object.entries({
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": pre,
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": tokens.map((token) => token === "<bos>" || token === "<eos>" ? 3 : 1),
    "tokenizer.ggml.merges": merges,
    "tokenizer.ggml.bos_token_id": tokens.indexOf("<bos>"),
    "tokenizer.ggml.eos_token_id": tokens.indexOf("<eos>"),
    ...changes,
  }));
}

/** Rules that llama.cpp has in code of its own, or whose models are of architectures that are not read here. */
const REFUSED = [
  "afmoe",
  "kimi-k2",
  "youtu",
  "superbpe",
  "granite-embed-multi-97m",
  "tiny_aya",
  "cohere2moe",
  "chameleon",
]
  .concat(["spark2_5", "laguna", "exaone-moe", "jais-2", "roberta-bpe", "jina-v1-en", "jina-v2-code"]);

/** Where llama.cpp departs from the rules of the models' own files, which are ours: marks are no letters there, U+2028 no white space. */
const DEPARTURES: readonly (readonly [names: RegExp, texts: RegExp])[] = [
  [/^(gpt-4o|kanana2|llama4|minimax-m2|talkie|tekken)$/, /\p{M}/u],
  [/^deepseek-(coder|llm)$/, /\u2028/],
];

for (const [name, at] of Object.entries(golden.names)) {
  const isRefused = REFUSED.includes(name);
  Deno.test(`tokenizer.ggml.pre ${name}: ${isRefused ? "refused by name" : "the ids of llama.cpp"}`, () => {
    if (isRefused) {
      const message = `its pre-tokenizer is "${name}", one of smollm, `;
      const error = assertThrows(() => ggufTokenizerFiles(metadataOf(name)), UserError, message);
      assertStringIncludes(error.hint!, "open the same model as a Hugging Face folder");
      return;
    }
    const tokenizer = loadTokenizer(ggufTokenizerFiles(metadataOf(name)));
    golden.texts.forEach((text, i) => {
      if (DEPARTURES.some(([names, texts]) => names.test(name) && texts.test(text))) return;
      assertEquals(tokenizer.encode(text), golden.ids[at!][i], JSON.stringify(text));
    });
    assertEquals(tokenizer.bosId !== undefined, golden.addsBos.includes(name));
  });
}

Deno.test("every name that llama.cpp knows is read or refused, and no other is read", () => {
  const known = Object.keys(golden.names);
  assertEquals([...PRE_TOKENIZERS.keys()].sort(), known.filter((name) => !REFUSED.includes(name)).sort());
  assert(known.length === 87);
  for (
    const name of [
      "",
      "Qwen2",
      "qwen",
      "llama-3",
      "llama_bpe",
      "gpt2",
      "deepseek-r1",
      "smollm2",
      "x".repeat(500),
    ]
  ) {
    const error = assertThrows(() => ggufTokenizerFiles(metadataOf(name)), UserError, "its pre-tokenizer is");
    assert(error.message.length < 1200 && !/get the file again/.test(error.hint!));
  }
});

Deno.test("special ids beyond the vocabulary are told and left out, others are as before", () => {
  const count = golden.tokens.length;
  for (const role of ["padding", "unknown", "eot", "eom", "eos"]) {
    for (const id of [count, count + 1, 2 ** 32 - 1, 2n ** 63n]) {
      const key = `tokenizer.ggml.${role}_token_id`;
      let eos: number | undefined;
      const told = warningsOf(() =>
        eos = loadTokenizer(ggufTokenizerFiles(metadataOf("gpt-2", { [key]: id }))).eosId
      );
      assertEquals(eos, role === "eos" ? undefined : golden.tokens.indexOf("<eos>"));
      // Of these roles the tokenizer's files name some.
      if (role === "padding" || role === "unknown" || role === "eos") {
        assertEquals(told, [
          `warning: ${key} is ${id}, beyond the ${count} tokens of the vocabulary: it is left out`,
        ]);
      }
    }
  }
  assertEquals(
    warningsOf(() =>
      ggufTokenizerFiles(metadataOf("gpt-2", { "tokenizer.ggml.padding_token_id": count - 1 }))
    ),
    [],
  );
  for (const [role, id] of [["padding", "900"], ["eos", true], ["unknown", []]] as [string, GgufValue][]) {
    const changed = metadataOf("gpt-2", { [`tokenizer.ggml.${role}_token_id`]: id });
    assertThrows(() => ggufTokenizerFiles(changed), UserError, `an id below ${count} is needed`);
  }
  const begins = { "tokenizer.ggml.bos_token_id": count + 7, "tokenizer.ggml.add_bos_token": true };
  warningsOf(() =>
    assertThrows(
      () => ggufTokenizerFiles(metadataOf("gpt-2", begins)),
      UserError,
      "beginning token is to be prepended",
    )
  );
});
