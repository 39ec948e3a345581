import { assertEquals, assertRejects } from "@std/assert";
import { readRows } from "../../../eval/data/read_rows.ts";
import { UserError } from "../../../gpu/errors.ts";
import { testFolder } from "../../support/folders.ts";

const folder = await testFolder();

function written(name: string, content: string | Uint8Array): string {
  const path = `${folder}/${name}`;
  if (typeof content === "string") Deno.writeTextFileSync(path, content);
  else Deno.writeFileSync(path, content);
  return path;
}

const fails = (name: string, content: string | Uint8Array, message: string) =>
  assertRejects(() => readRows(written(name, content)), UserError, message);

Deno.test("lines of JSON: blank lines are skipped, CRLF, a byte-order mark and a missing last line break are fine", async () => {
  const path = written("a.jsonl", '\ufeff{"q": "1\\n2"}\r\n\r\n  \n{"q": [1, null], "ü": "😀"}');
  assertEquals(await readRows(path), [{ q: "1\n2" }, { q: [1, null], "ü": "😀" }]);
  assertEquals(await readRows(written("empty.jsonl", "")), []);
});

Deno.test("a damaged line is named by its number", async () => {
  await fails("b.jsonl", '{"q": 1}\n\n{"q": ', 'line 3 is no JSON ("{\\"q\\":")');
  await fails("b.jsonl", '{"q": 1}\n[1]\n', "line 2 is no object");
  await fails("b.jsonl", "null", "line 1 is no object");
  await fails("b.jsonl", new Uint8Array([0x7b, 0x7d, 0x0a, 0x22, 0xff, 0x22]), "line 2 is not UTF-8");
  await fails("b.json", '[{"q": 1},\n{"q": 2},\n{"q" 3}]', "its JSON breaks in line 3");
  await fails("b.json", '[{"q": 1},\n{"q": 2}', "its JSON breaks in line 2");
  await fails("b.json", '{"q": 1}', "it holds no array");
  await fails("b.json", '[{"q": 1}, 2]', "element 2 is no object");
  await fails("b.json", new Uint8Array([0x5b, 0x0a, 0x0a, 0xc3, 0x28]), "line 3 is not UTF-8");
});

Deno.test("a CSV with a header: quotes, commas, doubled quotes, line breaks in cells, CRLF", async () => {
  const path = written("a.csv", 'id,"the question"\r\n1,"a, ""b""\r\nc"\r\n\r\n2,\r\n3,"d\ne"');
  assertEquals(await readRows(path), [
    { id: "1", "the question": 'a, "b"\r\nc' },
    { id: "2", "the question": "" },
    { id: "3", "the question": "d\ne" },
  ]);
});

Deno.test("a CSV without a header takes the names that are given", async () => {
  const path = written("c.csv", 'what "is" it,4,\n"",5,x\n');
  assertEquals(await readRows(path, { columns: ["question", "A", "B"] }), [
    { question: 'what "is" it', A: "4", B: "" },
    { question: "", A: "5", B: "x" },
  ]);
});

Deno.test("a damaged CSV is told with the line where it breaks", async () => {
  await fails("d.csv", 'a,b\n1,2\n3,"4\n5,6\n', "line 3 opens a quote that is never closed");
  await fails("d.csv", 'a,b\n"1\n2"3,4\n', 'line 3 goes on behind a closing quote with "3"');
  await fails("d.csv", 'a,b\n"1\n2",2\n3\n', "line 4 has 1 cells, 2 are needed (a, b)");
  await fails("d.csv", "a,a\n1,2\n", 'two columns are called "a"');
});

Deno.test("parquet: lists, records, missing values; three ways of compression", async () => {
  const root = "tests/eval/fixtures";
  const [first] = await readRows(
    `${root}/olympiadbench/hub/OlympiadBench/OE_TO_maths_en_COMP/OE_TO_maths_en_COMP.parquet`,
  );
  assertEquals([first.id, first.context, first.final_answer, first.is_multiple_answer], [
    10,
    null,
    ["3,-3"],
    true,
  ]);
  const [verl] = await readRows(`${root}/deepscaler/local/subset_b.parquet`);
  assertEquals(verl.reward_model, { ground_truth: "", style: "rule" });
  assertEquals((await readRows(`${root}/math/hub/algebra/train-00000-of-00001.parquet`)).length, 2);
});

Deno.test("a parquet file that is cut, empty or none at all is told to be damaged", async () => {
  const whole = Deno.readFileSync("tests/eval/fixtures/gsm8k/hub/main/train-00000-of-00001.parquet");
  for (const length of [0, 7, 100, whole.length >> 1, whole.length - 1]) {
    await fails("cut.parquet", whole.subarray(0, length), "as a parquet file it is damaged");
  }
  await fails("text.parquet", "no parquet at all, but long enough", "as a parquet file it is damaged");
  const wild = whole.slice();
  wild.set([0xff, 0xff, 0xff, 0x7f], wild.length - 8);
  await fails("wild.parquet", wild, "as a parquet file it is damaged");
});

Deno.test("missing files and unknown endings are told", async () => {
  await assertRejects(() => readRows(`${folder}/none.jsonl`), UserError, "there is no such file");
  await assertRejects(() => readRows(`${folder}/none.parquet`), UserError, "there is no such file");
  await assertRejects(
    () => readRows(`${folder}/a.txt`),
    UserError,
    "ends with .jsonl, .json, .csv, .parquet",
  );
});
