/** What a model's or a data set's files ask for is held against limits before it is made, and a deadline ends the rest. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readRows } from "../../eval/data/read_rows.ts";
import { readPairs } from "../../eval/answer/read_pairs.ts";
import { UserError } from "../../gpu/errors.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import { openSafetensors } from "../../model/formats/safetensors.ts";
import { chatTemplate } from "../../model/tokenizer/chat_template.ts";
import { scoreMerges } from "../../model/tokenizer/score_merges.ts";
import { loadTokenizer } from "../../model/tokenizer/tokenizer.ts";
import { withDeadline } from "../../model/tokenizer/with_deadline.ts";
import { byteLevelFiles } from "../model/support/byte_level_files.ts";
import { inFolder } from "../support/folders.ts";

/** Fails if `work` takes 10 seconds, or 1 GB of memory that is still held. */
async function held<T>(work: () => T | Promise<T>): Promise<T> {
  const [began, memory] = [performance.now(), Deno.memoryUsage().rss];
  const result = await work();
  const [seconds, bytes] = [(performance.now() - began) / 1000, Deno.memoryUsage().rss - memory];
  assert(seconds < 10, `${seconds} s`);
  assert(bytes < 1e9, `${bytes} bytes`);
  return result;
}

const files = byteLevelFiles({ special: ["<|end|>"] });

Deno.test("a chat template that computes without end, or makes ever longer texts and lists, is ended", async () => {
  const nested = (inner: string) =>
    `{% for a in range(100000) %}{% for b in range(100000) %}${inner}{% endfor %}{% endfor %}`;
  for (
    const [template, told] of [
      // Whichever comes first, the last step or the last second.
      [nested(""), "template: "],
      [nested("{{ a * b }}"), "template: "],
      ["{{ range(10**9) | length }}", ""],
      ["{{ range(1000000000) | length }}", "a list of 1000000000 items"],
      ["{{ range(0, 1000000000, 2) | length }}", "a list of 500000000 items"],
      ["{% set r = range %}{{ r(1000000000) | length }}", "a list of 1000000000 items"],
      [
        "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(64) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "characters",
      ],
      [
        "{% set ns = namespace(x=[1, 2]) %}{% for i in range(64) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "a list of",
      ],
      ["{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", ""],
      ["{{ ".repeat(200_000), ""],
      ["(".repeat(2 ** 20 + 1), "characters"],
      [`{{ ${"[".repeat(50_000)} }}`, ""],
    ]
  ) {
    const tokenizer = loadTokenizer({ ...files, "chat_template.jinja": template });
    const render = () => chatTemplate(tokenizer).render([{ role: "user", content: "a" }]);
    await held(() => assertThrows(render, UserError, told));
  }
  const range =
    "{% for i in range(3) %}{{ i }}{% endfor %}{{ range(5, 1, -2) | join(',') }}{{ range(2, 4) | join }}";
  const tokenizer = loadTokenizer({ ...files, "chat_template.jinja": range });
  assertEquals(chatTemplate(tokenizer).render([{ role: "user", content: "a" }]).text, "0125,323");
});

Deno.test("a tokenizer's regular expression that backtracks for ever is ended, in whichever place it stands", async () => {
  const Regex = "(([A-Za-z ]+)+)+#";
  const split = { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
  const replace = { type: "Replace", pattern: { Regex }, content: "" };
  const text = "the quick brown fox jumps over the lazy dog and runs away";
  for (
    const definition of [
      { pre_tokenizer: split },
      { pre_tokenizer: { type: "Sequence", pretokenizers: [split] } },
      { normalizer: replace },
    ]
  ) {
    const hostile = loadTokenizer(byteLevelFiles({}, definition));
    await held(() =>
      assertThrows(() => hostile.encode(text), UserError, "Cannot encode the text: it is not done after")
    );
  }
});

Deno.test("ids beyond any vocabulary, and tokens too long to be any, are refused", async () => {
  const definition = JSON.parse(files["tokenizer.json"]);
  const [first] = Object.keys(definition.model.vocab);
  const end = definition.added_tokens[0];
  for (const id of [4294967290, 2 ** 31, -1, 1.5, "7", null, 1e300]) {
    for (
      const wrong of [
        { ...definition, model: { ...definition.model, vocab: { ...definition.model.vocab, [first]: id } } },
        { ...definition, added_tokens: [{ ...end, id }] },
      ]
    ) {
      const open = () => loadTokenizer({ "tokenizer.json": JSON.stringify(wrong) });
      await held(() => assertThrows(open, UserError, "one below 1048576 is needed"));
    }
  }
  const piece = { id: 7, text: "a".repeat(2 ** 20), score: 1 };
  await held(() => assertThrows(() => scoreMerges([piece]), UserError, "its token 7 has 1048576 characters"));
  const many = Array.from({ length: 200 }, (_, id) => ({ id, text: `${id}`.padEnd(1000, "x"), score: id }));
  await held(() => scoreMerges(many));
});

Deno.test("JSON that nests, or holds more than any such file, is refused before it is parsed", async () => {
  const deep = "[".repeat(30_000_000);
  await held(() => assertThrows(() => parseJson(deep), SyntaxError, "nests more than 64"));
  const wide = `[${"[],".repeat(8_000_000)}[]]`;
  await held(() => assertThrows(() => parseJson(wide), SyntaxError, "arrays and objects"));
  for (const text of ['{"a\\"[[[": [1, {"b": "\\\\"}]}', "[]", '"[[["', " 1 "]) {
    assertEquals(parseJson(text, { deepest: 3 }), JSON.parse(text));
  }
  for (const text of ["", "{", '"a', '"a\\', "[1,]"]) assertThrows(() => parseJson(text), SyntaxError);
  const header = new TextEncoder().encode("{".repeat(90_000_000));
  const file = new Uint8Array(8 + header.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  await held(() => assertThrows(() => openSafetensors(file), UserError, "its header is not JSON"));
});

Deno.test("CSV of 150,000 columns, and 60,000 pairs to check, are read or refused in a moment", () =>
  inFolder(async (folder) => {
    const names = Array.from({ length: 150_000 }, (_, i) => `c${i}`).join(",");
    Deno.writeTextFileSync(`${folder}/wide.csv`, `${names}\n1,2\n`);
    await held(() => assertRejects(() => readRows(`${folder}/wide.csv`), UserError, "it has 150000 columns"));
    Deno.writeTextFileSync(`${folder}/tall.csv`, "a,b\n" + '1,"2\n3"\n'.repeat(200_000));
    assertEquals((await held(() => readRows(`${folder}/tall.csv`))).length, 200_000);
    const pairs = await held(() => readPairs("pairs.csv", "gold,prediction\n" + '1,"2\n2"\n'.repeat(60_000)));
    assertEquals([pairs.length, pairs[0].line, pairs.at(-1)!.line], [60_000, 2, 2 * 60_000]);
  }));

Deno.test("work that ends in time gives its value, or its own error", () => {
  assertEquals(withDeadline(1000, "do it", () => 7), 7);
  assertThrows(() => withDeadline(1000, "do it", () => JSON.parse("{")), SyntaxError);
  assertThrows(
    () =>
      withDeadline(50, "do it", () => {
        for (;;);
      }),
    UserError,
    "Cannot do it: it is not done after 1 s",
  );
});
