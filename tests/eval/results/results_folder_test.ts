import { assertEquals, assertThrows } from "@std/assert";
import { openRecordFile } from "../../../eval/results/record_file.ts";
import { checkResultsPlace, openResults } from "../../../eval/results/results_folder.ts";
import { compareSettings } from "../../../eval/results/compare_settings.ts";
import { UserError } from "../../../gpu/errors.ts";
import { testFolder } from "../../support/folders.ts";

const folder = await testFolder();

interface Numbered {
  placeInList: number;
  text: string;
}

Deno.test("records are appended, read again, and put in order", () => {
  const path = `${folder}/records.jsonl`;
  const records = Array.from({ length: 400 }, (_, i): Numbered => ({
    placeInList: (i * 7) % 400,
    // Together more than one piece of the file, with line ends and characters of several bytes inside.
    text: "ä\n€ \u{1F600}".repeat(i % 50 * 10),
  }));
  {
    using file = openRecordFile<Numbered>(path);
    assertEquals([...file.known()], []);
    for (const record of records.slice(0, 150)) file.append(record);
  }
  assertEquals(Deno.readTextFileSync(path).startsWith('{"place_in_list":0,"text":""}\n'), true);
  using file = openRecordFile<Numbered>(path);
  assertEquals([...file.known()], records.slice(0, 150));
  for (const record of records.slice(150)) file.append(record);
  assertEquals([...file.known()].length, 150); // those that were there when it was opened
  file.sort(({ placeInList }) => placeInList);
  using sorted = openRecordFile<Numbered>(path);
  assertEquals([...sorted.known()], records.toSorted((a, b) => a.placeInList - b.placeInList));
  const { ino } = Deno.statSync(path);
  sorted.sort(({ placeInList }) => placeInList);
  assertEquals(Deno.statSync(path).ino, ino, "in order already: nothing is written");
});

Deno.test("a line that a kill cut off is cut away, wherever it was cut; a damaged one is named", () => {
  const path = `${folder}/cut.jsonl`;
  const lines = [{ a: 1 }, { a: "€".repeat(600_000) }, { a: 3 }].map((record) =>
    JSON.stringify(record) + "\n"
  );
  const whole = new TextEncoder().encode(lines.join(""));
  const ends = lines.map((_, i) => new TextEncoder().encode(lines.slice(0, i + 1).join("")).length);
  for (const cut of [0, 1, ends[0] - 1, ends[0], ends[0] + 1, ends[1] - 2, ends[1], ends[2] - 1, ends[2]]) {
    Deno.writeFileSync(path, whole.subarray(0, cut));
    const left = ends.filter((end) => end <= cut).length;
    {
      using file = openRecordFile<{ a: unknown }>(path);
      assertEquals([...file.known()].length, left, `cut at ${cut}`);
      file.append({ a: 4 });
    }
    using file = openRecordFile<{ a: unknown }>(path);
    assertEquals([...file.known()].at(-1), { a: 4 });
  }
  Deno.writeTextFileSync(path, '{"a":1}\n{"a":\n{"a":3}\n');
  using file = openRecordFile(path);
  assertThrows(() => [...file.known()], UserError, "line 2 is damaged");
});

Deno.test("what an evaluation left that was killed while it began is in nobody's way", () => {
  const path = `${folder}/begun`;
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(`${path}/settings.json.0a1b2c3d-4e5f.tmp`, "{");
  openResults(path, { seed: 0 })[Symbol.dispose]();
  assertEquals([...Deno.readDirSync(path)].map(({ name }) => name), ["settings.json"]);
  Deno.removeSync(`${path}/settings.json`);
  Deno.writeTextFileSync(`${path}/mine.json.0a1b2c3d-4e5f.tmp`, "{");
  assertThrows(() => openResults(path, { seed: 0 }), UserError, "it holds other things");
});

Deno.test("a folder of results is gone on with when all settings agree; otherwise they are named", () => {
  const path = `${folder}/deep/results`;
  const settings = { seed: 0, modes: ["hard-greedy"], tasks: [{ name: "sums", version: 1 }] };
  {
    using results = openResults(path, settings);
    using file = results.records<{ a: number }>("my/task-hard-greedy");
    file.append({ a: 1 });
    results.finish({ accuracy: 1 });
    assertThrows(() => openResults(path, settings), UserError, "another evaluation is at work there");
  }
  assertEquals([...Deno.readDirSync(path)].map(({ name }) => name).sort(), [
    "my_task-hard-greedy.jsonl",
    "report.json",
    "settings.json",
  ]);
  {
    using results = openResults(path, { ...settings });
    using again = results.records<{ a: number }>("my/task-hard-greedy");
    assertEquals([...again.known()], [{ a: 1 }]);
  }
  const refuse = (changed: object, message: string) =>
    assertThrows(() => openResults(path, { ...settings, ...changed }), UserError, message);
  refuse({ seed: 1 }, "its results were made with seed 0, not 1");
  refuse({ modes: ["hard-greedy", "soft-greedy"], seed: 2 }, "seed 0, not 2; modes");
  refuse({ shots: 3 }, "shots none, not 3");
  refuse({ tasks: [{ name: "sums", version: 2 }] }, '"version":1');
  const hashed = `${folder}/hashed`;
  const [one, other] = ["a", "b"].map((digit) => digit.repeat(64));
  openResults(hashed, { promptHash: one, questions: 4 })[Symbol.dispose]();
  const told = (changed: object) =>
    assertThrows(() => openResults(hashed, { promptHash: other, ...changed }), UserError).message;
  assertEquals(
    told({ questions: 5 }),
    `Cannot go on in ${hashed}: its results were made with questions 4, not 5`,
  );
  const hashes = "promptHash aaaaaaaaaaaa, not bbbbbbbbbbbb";
  assertEquals(told({ questions: 4 }), `Cannot go on in ${hashed}: its results were made with ${hashes}`);
});

Deno.test("more of what leaves the rest as it is may be asked for; nothing else, and not less", () => {
  const kept = {
    ...{
      model: "m",
      "sums version": 1,
      "sums modes": ["hard-sample"],
      "sums questions": 4,
      "sums samples": 2,
    },
    ...{ "sums gamma": 0.5, "sums questionsHash": "a".repeat(64), "sums promptHash": "b".repeat(64) },
    ...{
      "sums mixing": { rho: 0.1 },
      "arc version": 1,
      "arc questions": 4,
      "arc promptHash": "c".repeat(64),
    },
  };
  const compare = (changed: object) => compareSettings("here", kept, { ...kept, ...changed });
  assertEquals(compare({}), false);
  const [hash, modes] = ["d".repeat(64), ["soft-greedy", "hard-sample"]];
  for (
    const more of [
      { "sums questions": 5, "sums questionsHash": hash },
      { "sums samples": 3 },
      { "sums modes": modes, "sums mixing": { rho: 0.1, beta: 1 } },
      { "arc questions": 5, "arc promptHash": hash },
      { "math version": 3, "math seed": 1 },
    ]
  ) assertEquals(compare(more), true, JSON.stringify(more));
  const refused: [object, string][] = [
    [{ "sums questions": 3, "sums questionsHash": hash }, "sums questions 4, not 3"],
    [{ "sums questionsHash": hash }, "sums questionsHash aaaaaaaaaaaa"],
    [{ "sums questions": 5, "sums promptHash": hash }, "sums promptHash bbbbbbbbbbbb"],
    [{ "arc promptHash": hash }, "arc promptHash"],
    [{ "sums modes": ["soft-greedy"] }, "sums modes"],
    [{ "sums modes": modes, "sums gamma": 0.4 }, "sums gamma 0.5, not 0.4"],
    [{ "sums modes": modes, "sums mixing": { rho: 0.2 } }, "sums mixing"],
    [{ "sums mixing": { rho: 0.1, beta: 1 } }, "sums mixing"],
    [{ "sums version": undefined }, "sums version 1, not none"],
    [{ "sums samples": 3, model: "n" }, 'model "m", not "n"'],
  ];
  for (const [changed, message] of refused) assertThrows(() => compare(changed), UserError, message);
});

Deno.test("a file, and a folder of other things, are refused and left alone", () => {
  Deno.writeTextFileSync(`${folder}/file`, "mine");
  assertThrows(() => checkResultsPlace(`${folder}/file`), UserError, "it is a file");
  assertThrows(() => checkResultsPlace(`${folder}/file/below`), UserError, "Cannot keep results");
  Deno.mkdirSync(`${folder}/other`);
  checkResultsPlace(`${folder}/other`);
  checkResultsPlace(`${folder}/none/yet`);
  Deno.writeTextFileSync(`${folder}/other/thesis.tex`, "mine");
  assertThrows(() => openResults(`${folder}/other`, {}), UserError, "it holds other things (thesis.tex)");
  Deno.mkdirSync(`${folder}/broken`);
  Deno.writeTextFileSync(`${folder}/broken/settings.json`, "{");
  assertThrows(() => openResults(`${folder}/broken`, {}), UserError, "settings.json is damaged");
});
