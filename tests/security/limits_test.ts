/** What a model's or a data set's files ask for is held against limits before it is made, and a deadline ends the rest. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
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
import { held } from "./support/held.ts";
import { parquetBytes, type Said } from "./support/parquet_bytes.ts";
import { inFolder } from "../support/folders.ts";

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

Deno.test("parquet that claims more rows, bytes or columns than its size can hold is refused before they are made", () =>
  inFolder(async (folder) => {
    const path = `${folder}/x.parquet`;
    const read = (page: Uint8Array, said: Said) => {
      Deno.writeFileSync(path, parquetBytes(page, said));
      return held(() => readRows(path));
    };
    const two = new Uint8Array(Int32Array.of(7, -1).buffer);
    assertEquals(await read(two, { rows: 2, values: 2, whole: 8, codec: 0, columns: 2 }), [
      { c0: 7, c1: 7 },
      { c0: -1, c1: -1 },
    ]);
    const zeros = new Uint8Array(32 * 2 ** 20);
    const squeezed = { 2: gzipSync(zeros), 4: brotliCompressSync(zeros), 6: zstdCompressSync(zeros) };
    const refused = (page: Uint8Array, said: Said, told: string) =>
      assertRejects(() => read(page, said), UserError, told);
    for (const [codec, page] of Object.entries(squeezed)) {
      // Kilobytes that become 32 MB once in each of 120 columns: 3.8 GB.
      const said = { rows: 2 ** 23, values: 2 ** 23, whole: zeros.length, codec: Number(codec) };
      await refused(page, { ...said, columns: 120 }, "it is said to have");
      await refused(page, { ...said, rows: 1, values: 1, columns: 120 }, "far more than the file");
      // A page that says less than it holds: no more of it is made, whether that is an error or not.
      await read(page, { ...said, rows: 2, values: 2, whole: 8 }).catch((error) =>
        assert(error instanceof UserError)
      );
      await refused(page, { ...said, rows: 2, values: 2, whole: 2 ** 31 - 1 }, "far more than the file");
    }
    await refused(two, { rows: 1e9, values: 2, whole: 8, codec: 0 }, "it is said to have 1000000000 rows");
    await refused(two, { rows: 2, values: 1e9, whole: 8, codec: 0 }, "far more than the file");
    await refused(two, { rows: 2, values: 2, whole: 8, codec: 0, columns: 10_001 }, "10001 columns");
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
