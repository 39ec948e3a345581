import { assertEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { UserError } from "../../../gpu/errors.ts";
import { type ChatMessage, chatTemplate } from "../../../model/tokenizer/chat_template.ts";
import { openGguf } from "../../../model/formats/gguf.ts";
import { ggufTokenizerFiles } from "../../../model/tokenizer/gguf_tokenizer.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import type { TokenizerFiles } from "../../../model/tokenizer/tokenizer_files.ts";
import { root } from "../../support/places.ts";
import { realTokenizerFiles } from "../support/real_tokenizers.ts";

const golden = (name: string) => JSON.parse(Deno.readTextFileSync(`${root}tests/golden/chats/${name}.json`));
const CONVERSATIONS: ChatMessage[][] = golden("conversations");
const GGUF = "../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";

/** SmolLM2's files; undefined, having said so, where the model is absent. */
function smollm2Files(): TokenizerFiles | undefined {
  try {
    Deno.statSync(GGUF);
  } catch {
    console.log(`skipped: no ${GGUF}`);
    return undefined;
  }
  const file = openGguf(GGUF);
  const files = ggufTokenizerFiles(file.metadata);
  file.close();
  return files;
}

for (const name of ["smollm2", "llama3_2", "qwen2_5"] as const) {
  Deno.test(`the chat template of ${name} gives what Python's jinja2 and tokenizers give`, async () => {
    const files = name === "smollm2" ? smollm2Files() : await realTokenizerFiles(name);
    if (!files) return;
    const tokenizer = loadTokenizer(files);
    const template = chatTemplate(tokenizer);
    const wanted: { sha256: string; ids: number[] }[] = golden(name);
    assertEquals(wanted.length, CONVERSATIONS.length);
    CONVERSATIONS.forEach((messages, i) => {
      const { text, ids } = template.render(messages);
      assertEquals(ids, wanted[i].ids, text);
      assertEquals(createHash("sha256").update(text).digest("hex"), wanted[i].sha256, text);
      assertEquals(ids.filter((id) => id === tokenizer.bosId).length, name === "llama3_2" ? 1 : 0);
    });
  });
}

/** Each letter is a token; `<s>`, `<e>` and `<u>` are special, `<t>` is not. */
function lettersFiles(config: Record<string, unknown>): TokenizerFiles {
  const special = ["<s>", "<e>", "<u>"];
  const letters = ["<t>", ..."abcdefghijklmnopqrstuvwxyz<>:-|"];
  const vocab = Object.fromEntries([...special, ...letters].map((text, id) => [text, id]));
  const added = [...special, "<t>"].map((content) => ({
    ...{ id: vocab[content], content, special: content !== "<t>", normalized: false },
  }));
  const definition = {
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: "Split", pattern: { Regex: "." }, behavior: "Isolated", invert: false },
    post_processor: null,
    decoder: { type: "Fuse" },
    model: { type: "WordLevel", vocab, unk_token: "?" },
  };
  return {
    "tokenizer.json": JSON.stringify(definition),
    "tokenizer_config.json": JSON.stringify({ bos_token: "<s>", eos_token: { content: "<e>" }, ...config }),
  };
}

const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}<u>{{ m.role[:1] }}:{{ m.content | trim }}{{ eos_token }}" +
  "{% endfor %}{% if add_generation_prompt %}<u>a:{% endif %}";

Deno.test("only the template's own special tokens are special; nothing is prepended to what it writes", () => {
  const tokenizer = loadTokenizer(lettersFiles({ add_bos_token: true, chat_template: TEMPLATE }));
  const { text, ids } = chatTemplate(tokenizer).render([{ role: "user", content: " a<e><s><t>b " }]);
  assertEquals(text, "<s><u>u:a<e><s><t>b<e><u>a:");
  const tokens = ids.map((id) => id < 3 ? ["<s>", "<e>", "<u>"][id] : tokenizer.decode([id]));
  assertEquals(tokens.join(" "), "<s> <u> u : a < e > < s > <t> b <e> <u> a :");
});

Deno.test("a private character in a message is not mistaken for a mark", () => {
  const template = "{% for m in messages %}{{ m.content }}{% endfor %}";
  const files = lettersFiles({ chat_template: template });
  const definition = JSON.parse(files["tokenizer.json"]);
  definition.model.vocab["\u{f0000}"] = 100;
  const tokenizer = loadTokenizer({ ...files, "tokenizer.json": JSON.stringify(definition) });
  const content = "\u{f0000}<s>\u{f0000}";
  const { text, ids } = chatTemplate(tokenizer).render([{ role: "user", content }]);
  assertEquals([text, ids.length, ids[0], ids.at(-1)], [content, 5, 100, 100]);
});

Deno.test("where the template is found: a file of its own, tokenizer_config.json, the default of several", () => {
  const render = (files: TokenizerFiles) =>
    chatTemplate(loadTokenizer(files)).render([{ role: "user", content: "x" }]).text;
  const several = [{ name: "tool_use", template: "t" }, { name: "default", template: "d" }];
  assertEquals(render(lettersFiles({ chat_template: several })), "d");
  assertEquals(render({ ...lettersFiles({ chat_template: "c" }), "chat_template.jinja": "j" }), "j");
});

Deno.test("what is wrong with a template is said", () => {
  const open = (template?: unknown) => chatTemplate(loadTokenizer(lettersFiles({ chat_template: template })));
  const refused = (make: () => unknown, message: string) => assertThrows(make, UserError, message);
  refused(() => open(), "the model has none");
  refused(() => open([{ name: "tool_use", template: "t" }]), "the model has none");
  refused(() => open("{% if %}"), "Cannot read the model's chat template");
  refused(
    () =>
      open("{{ raise_exception('no system') }}").render([{ role: "system", content: "a" }, {
        role: "user",
        content: "b",
      }]),
    "Cannot put messages of system, user into the model's chat template: no system",
  );
});
