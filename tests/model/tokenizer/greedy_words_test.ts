import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { BUILTIN } from "../../../model/builtin/builtin_model.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";
import { makeTokenizerFiles } from "../../../model/builtin/make_tokenizer.ts";
import { VOCABULARY } from "../../../model/builtin/words.ts";
import { exportGguf } from "../../../model/files/export_model.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { readTensor } from "../../../model/formats/tensor_file.ts";
import { ggufTokenizerFiles } from "../../../model/tokenizer/gguf_tokenizer.ts";
import { escapeWord, unescapeWord } from "../../../model/tokenizer/greedy_words.ts";
import { loadTokenizer, type Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { writeGgufTokens } from "../../../model/tokenizer/write_gguf_tokens.ts";
import { sums } from "../../../eval/tasks/sums.ts";
import { defaultTask } from "../../../cli/defaults/default_task.ts";
import golden from "../../golden/tokenizers/words.json" with { type: "json" };
import { inFolder } from "../../support/folders.ts";

const own = builtinTokenizer();
const config = (() => {
  using files = openModelFiles(BUILTIN);
  return files.config;
})();

/** A tokenizer on its way through GGUF's metadata. */
function throughGguf(tokenizer: Tokenizer): Tokenizer {
  const entries = [...writeGgufTokens(tokenizer, config)].map(([key, { value }]) => [key, value] as const);
  return loadTokenizer(ggufTokenizerFiles(new Map(entries) as Parameters<typeof ggufTokenizerFiles>[0]));
}

/** The embedded tokenizer with another definition. */
function changed(change: (definition: Record<string, Record<string, unknown>>) => void): Tokenizer {
  const files = makeTokenizerFiles();
  const definition = JSON.parse(files["tokenizer.json"]);
  change(definition);
  return loadTokenizer({ ...files, "tokenizer.json": JSON.stringify(definition) });
}

Deno.test("the embedded tokenizer comes back from GGUF, and llama.cpp reads the file alike", () => {
  const back = throughGguf(own);
  assertEquals([back.eosId, back.bosId], [own.eosId, own.bosId]);
  for (const [id, text] of VOCABULARY.entries()) assertEquals(back.idOf(text), id, text);
  for (const { text, ids, back: said } of golden.read) {
    assertEquals([own.encode(text), back.encode(text), said], [ids, ids, text]);
    assertEquals(back.decode(ids), text);
  }
  for (let index = 0; index < 300; index++) {
    const { prompt, completion } = sums.demonstration!(0, index);
    for (const text of [prompt, prompt + completion]) assertEquals(back.encode(text), own.encode(text), text);
  }
  const unknown = assertThrows(() => back.encode(" Sam has 3 zebras."), UserError);
  assertEquals(unknown.message.includes("not in the vocabulary"), true);
});

Deno.test("a GGUF export of the embedded model has its weights, and is asked by its prompt", () =>
  inFolder(async (folder) => {
    const out = `${folder}/builtin.gguf`;
    using files = openModelFiles(BUILTIN);
    await exportGguf({ ...files, name: BUILTIN }, { out, dtype: "f32" });
    using exported = openModelFiles(out);
    for (const name of files.weights.tensors.keys()) {
      assertEquals(readTensor(exported.weights, name), readTensor(files.weights, name), name);
    }
    assertEquals(exported.config.eosTokenIds, files.config.eosTokenIds);
    assertEquals(defaultTask(out, exported.tokenizer), "sums");
  }));

Deno.test("words that are cut otherwise than the longest first, too many, or changed before are refused", () => {
  const refused = (tokenizer: Tokenizer, message: string) =>
    assertThrows(() => writeGgufTokens(tokenizer, config), UserError, message);
  refused(
    changed(({ pre_tokenizer }) => pre_tokenizer.pattern = { Regex: " ?[A-Za-z]+| ?[^A-Za-z ]| " }),
    "otherwise than into the longest words",
  );
  refused(changed((definition) => definition.normalizer = { type: "Lowercase" }), "it changes texts");
  refused(
    changed(({ model }) => {
      for (let i = 0; i < 256; i++) (model.vocab as Record<string, number>)[`w${i}`] = 100 + i;
    }),
    "a vocabulary of words may have 256",
  );
});

Deno.test("tokens with backslashes and line ends are written as GGUF has them", () => {
  for (const text of [" \\boxed{", "\\", "\\\\n", "a\tb\r\n", "\\x41"]) {
    assertEquals(unescapeWord(escapeWord(text)), text);
  }
  assertEquals([escapeWord(" \\boxed{"), escapeWord("\n")], [" \\\\boxed{", "\\n"]);
  assertThrows(() => unescapeWord("\\xff"), UserError, "holds single bytes");
});
