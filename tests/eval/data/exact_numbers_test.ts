/** Numbers of data files keep all their digits, and what JSON does not know is told by its name. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readRows } from "../../../eval/data/read_rows.ts";
import { readPairs } from "../../../eval/answer/read_pairs.ts";
import { UserError } from "../../../gpu/errors.ts";
import { parseJson } from "../../../model/files/parse_json.ts";
import { testFolder } from "../../support/folders.ts";

const folder = await testFolder();

function written(name: string, content: string): string {
  Deno.writeTextFileSync(`${folder}/${name}`, content);
  return `${folder}/${name}`;
}

/** What stands in a file, and the value that it becomes. */
const NUMBERS: [source: string, value: unknown][] = [
  ["12345678901234567890", "12345678901234567890"],
  ["9007199254740993", "9007199254740993"],
  ["-9007199254740993", "-9007199254740993"],
  ["9007199254740992", "9007199254740992"],
  ["100000000000000000000000", "100000000000000000000000"],
  ["170141183460469231731687303715884105727", "170141183460469231731687303715884105727"],
  ["0.12345678901234567890", "0.12345678901234567890"],
  ["3.14159265358979323846264338327950288", "3.14159265358979323846264338327950288"],
  ["-2.00000000000000000001", "-2.00000000000000000001"],
  ["1e400", `1${"0".repeat(400)}`],
  ["-1.5E310", `-15${"0".repeat(309)}`],
  ["1e-400", `0.${"0".repeat(399)}1`],
  ["1.23456789012345678e5", "123456.789012345678"],
  ["12345678901234567890.5", "12345678901234567890.5"],
  ["1e100000", "1e100000"],
  // Near misses: these are what they were.
  ["9007199254740991", 9007199254740991],
  ["-9007199254740991", -9007199254740991],
  ["1234567890123456", 1234567890123456],
  ["0.1", 0.1],
  ["0.30000000000000004", 0.30000000000000004],
  ["1.50", 1.5],
  ["1.0", 1],
  ["1e3", 1000],
  ["1E-7", 1e-7],
  ["-0", -0],
  ["0.000", 0],
  ["1.000000000000000000000", 1],
  ["0e999", 0],
  ["2.5e10", 25000000000],
  ['"12345678901234567890"', "12345678901234567890"],
  ['"1e400"', "1e400"],
  ["null", null],
  ["true", true],
];

Deno.test("numbers that JavaScript would change come as their digits, others as numbers", async () => {
  for (const [source, value] of NUMBERS) {
    const line = `{"q": "x? 12345678901234567890", "a": ${source}, "more": {"list": [1, ${source}]}}`;
    const row = { q: "x? 12345678901234567890", a: value, more: { list: [1, value] } };
    assertEquals(await readRows(written("a.jsonl", `${line}\n{"a": 1}\n`)), [row, { a: 1 }] as never, source);
    assertEquals(await readRows(written("a.json", `[${line}]`)), [row] as never, source);
    assertEquals((parseJson(line) as { a: unknown }).a, JSON.parse(source), "other files are read as before");
  }
});

Deno.test("pairs to judge keep their digits, too", () => {
  const pairs = readPairs("x.jsonl", '{"gold": 12345678901234567890, "prediction": 12345678901234567891}');
  assertEquals(pairs[0].gold, "12345678901234567890");
  assertEquals(pairs[0].prediction, "12345678901234567891");
  assertEquals(readPairs("x.jsonl", '{"gold": 7, "prediction": 2.50}')[0].prediction, "2.5");
});

async function refused(name: string, content: string, message: string, hint: string) {
  const error = await assertRejects(() => readRows(written(name, content)), UserError, message);
  assertStringIncludes((error as UserError).hint ?? "", hint);
}

Deno.test("JSON lines in a .json file, and an array in a .jsonl file, are told", async () => {
  const lines = [
    '{"q": 1}\n{"q": 2}\n',
    '\n\n {"q": "a{"}\r\n\r\n{"q": 2}',
    '{"q": 1}\n{"q": 2}\n{"q": ',
    "{}\n{}",
  ];
  for (const text of lines) {
    await refused("a.json", text, "it holds JSON lines, an object a line", "call it .jsonl");
  }
  await refused("a.json", '{"q": 1}\n', "it holds no array", "is to be called .jsonl");
  await refused("a.jsonl", '[{"q": 1}, {"q": 2}]\n', "line 1 is no object", "is to be called .json");
  await refused("a.jsonl", '[\n{"q": 1},\n{"q": 2}\n]\n', "line 1 is no JSON", "is to be called .json");
  await refused("a.jsonl", '{\n"q": 1\n}', "line 1 is no JSON", "is to be called .json");
  await refused("a.json", '[{"q": 1},\n{"q": 2},\n{"q" 3}]', "its JSON breaks in line 3", "");
  await refused("a.json", "3", "it holds no array", "");
});

Deno.test("what Python writes and JSON does not know is named", async () => {
  for (const word of ["NaN", "Infinity", "-Infinity", "nan", "inf", "None", "True", "False"]) {
    await refused(
      "a.jsonl",
      `{"q": "x"}\n{"q": "NaN", "a": ${word}}\n`,
      `line 2 has ${word}, which JSON does not know`,
      "null",
    );
    await refused(
      "a.json",
      `[{"q": "x"},\n{"q": "a \\" NaN", "a": ${word}}]`,
      `it has ${word} in line 2, which`,
      "null",
    );
  }
  await refused("a.jsonl", '{"a": Nan', "line 1 is no JSON", "");
  await refused("a.jsonl", '{"a": "NaN}', "line 1 is no JSON", "");
  assertEquals(await readRows(written("a.jsonl", '{"a": "NaN", "b": "Infinity None True"}')), [
    { a: "NaN", b: "Infinity None True" },
  ]);
});
