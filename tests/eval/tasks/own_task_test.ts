import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { generationEntry, openTask } from "../../../eval/tasks/open_task.ts";
import { UserError } from "../../../gpu/errors.ts";
import { testFolder } from "../../support/folders.ts";

const own = "tests/eval/fixtures/own";
const folder = await testFolder();

function written(name: string, content: string): string {
  Deno.writeTextFileSync(`${folder}/${name}`, content);
  return `${folder}/${name}`;
}

/** Refused when it is looked up or opened, with this message. */
async function refused(path: string, message: string, hint?: string, data?: string): Promise<void> {
  const error = await assertRejects(() => openTask(path, { data }), UserError, message);
  if (hint !== undefined) assertStringIncludes(error.hint!, hint);
}

Deno.test("a task in TOML: its file, fields, grader, prompt and limits", async () => {
  const task = await openTask(`${own}/capitals.toml`);
  assertEquals([task.name, task.version, task.size("test"), task.size("train")], ["capitals", 1, 2, 0]);
  assertEquals(task.limits, { maxThinking: 64, maxThinkingEval: 64, answerTokens: 8 });
  assertEquals(task.data!.dropped, { test: { "no answer": 1 } });
  const { question, gold } = task.question("test", 0, 0);
  assertEquals(await task.prompt(question), "Answer in a box. What is the capital of France?");
  assertEquals(await task.chatPrompt!(question), "Answer in a box. What is the capital of France?");
  assertEquals(await task.grade(gold, "\\text{PARIS}.}"), {
    reward: 100,
    correct: true,
    answer: "\\text{PARIS}.",
    rule: "same words",
  });
  assertEquals((await task.grade(gold, "Paris, Texas}")).reward, 10);
  assertEquals((await task.grade(gold, "Paris")).reward, 0);
  assertEquals(task.checking, undefined, "workers ask the answer checker, which this task does not");
});

Deno.test("a task in TOML over several files, with the answer checker, a mark before the answer and boxes", async () => {
  written(
    "train.csv",
    'problem,key\n"1, 2 or 3?",so: #### \\boxed{3}\nhalf of 1?,#### \\boxed{0.5}\nlost?,none\n',
  );
  written("test.csv", "how much?,#### \\boxed{50\\%}\n");
  const settings =
    'question = "problem"\ngold = "key"\ngold-after = "####"\ngold-box = true\npercent = true\n';
  const train = await openTask(written("a.toml", `file = "train.csv"\nsplit = "train"\n${settings}`));
  assertEquals([train.name, train.size("train"), train.size("validation")], ["a", 2, 0]);
  assertEquals(train.data!.dropped, { train: { "no answer": 1 } });
  const test = await openTask(
    written("b.toml", `columns = ["problem", "key"]\n${settings}[files]\ntest = ["test.csv"]\n`),
  );
  assertEquals(test.question("test", 0, 0).gold, "50\\%");
  assert((await test.grade("50\\%", "50}")).correct);
  const named = await openTask(written("c.toml", settings), { data: `${folder}/train.csv` });
  assertEquals(named.size("train"), 2);
});

Deno.test("a TOML task that is wrong is told what, and where", async () => {
  const wrong = (toml: string, message: string, hint?: string) =>
    refused(written("d.toml", toml), message, hint);
  await refused(`${folder}/none.toml`, "there is no such file");
  await wrong('file = "x.jsonl\n', "line 1, column");
  await wrong('fil = "x.jsonl"\n', "there is no setting fil", "name, version, about, hub, licence, file");
  await wrong('grader = "luck"\nfile = "x.jsonl"\n', "grader: ");
  await wrong("max-thinking = 0\n", "max-thinking: ");
  await wrong("file = 3\n", "file: a path or a list of paths is needed");
  await wrong("", "no file is named", "--data");
  await wrong('file = "x.jsonl"\n', `Cannot read ${folder}/x.jsonl: there is no such file`);
  await wrong('hub = "squad"\n', "hub: a data set's name on the hub");
  await wrong('hub = "org/set"\n', "no file of the data set is named", 'file = "data/test-*.parquet"');
  await wrong(
    'hub = "org/not-pulled"\nfile = "x.jsonl"\n',
    "org/not-pulled is not in the cache",
    "softcot data pull",
  );
  await wrong('file = "a"\n[files]\ntest = "b"\n', "both file and [files] are given");
  await wrong('file = "a"\n[files]\ntset = "b"\n', "there is no setting tset", "train, validation");
  await wrong('file = "a"\ninstruction = "Think!"\n', "no {question}");
  await wrong('file = "a"\ngrader = "words"\npercent = true\n', "belong to the grader math");
  await wrong('file = "a"\nname = "a/b"\n', "name: letters, digits");
  await refused(written("math.toml", 'file = "a"\n'), "it is called math as one of softcot's own");
  const rows = written("rows.jsonl", '{"question": "a", "answer": "b"}\n{"question": "a"}\n');
  await wrong('file = "rows.jsonl"\n', `${rows}: row 2 has no text as answer`, "fields are question");
});

Deno.test("a task in TypeScript: questions, prompt, limits; part of train is held out", async () => {
  const task = await openTask(`${own}/squares.ts`);
  assertEquals([task.name, task.version, task.size("test")], ["squares", 2, 20]);
  assertEquals([task.size("train"), task.size("validation"), task.heldOut!.length], [10, 10, 10]);
  assertEquals(task.limits, { maxThinking: 32, maxThinkingEval: 32, answerTokens: 32 });
  for (const prompt of [task.prompt, task.chatPrompt!]) {
    assertEquals(await prompt("What is 2?"), "What is 2? Think, then answer.");
  }
  assert((await task.grade(task.question("test", 0, 0).gold, "441.0}")).correct);
  const { limits } = await generationEntry(`${own}/squares.ts`);
  assertEquals([limits.maxThinking, limits.maxThinkingEval], [32, 32]);
});

Deno.test("a task in TypeScript may make its questions of --data, and grade them itself", async () => {
  const path = written(
    "lengths.ts",
    `export default {
       questions: ({ data }) => ({ test: Deno.readTextFileSync(data).trim().split("\\n").map((question) =>
         ({ question, gold: String(question.length) })) }),
       grade: (gold, text) => ({ reward: 100, correct: true, answer: gold + text, rule: "kind" }),
     };`,
  );
  const task = await openTask(path, { data: written("words.txt", "one\nthree\n") });
  assertEquals([task.question("test", 0, 1).gold, task.data!.origin], ["5", `${folder}/words.txt`]);
  assertEquals((await task.grade("5", "!")).answer, "5!");
  await refused(path, "questions failed with");
});

Deno.test("a TypeScript task that is wrong is told what", async () => {
  // A module is loaded once by its name.
  let files = 0;
  const wrong = (code: string, message: string, hint?: string) =>
    refused(written(`e${++files}.ts`, code), message, hint);
  await refused(`${folder}/none.ts`, "there is no such file");
  await wrong("export default {", "Cannot load the task");
  await wrong("export const task = {};", "its default export is missing", "export default {");
  await wrong("export default 7;", "its default export is of type number");
  await wrong("export default {};", "has no questions");
  await wrong("export default { questions: { tests: [] } };", "a split tests");
  await wrong("export default { questions: { test: {} } };", "test questions are no array");
  const bad =
    'export default { questions: { test: [{ question: "a", gold: "b" }, { question: "a", gold: 7 }] } };';
  await wrong(bad, "question 2 of test lacks a text");
  await wrong("export default { questions: {}, grade: 7 };", "its grade is of type number");
  await wrong('export default { questions: {}, name: "a/b" };', 'its name is "a/b"');
  await refused(`${own}/squares.ts`, "it brings its own questions", undefined, folder);
});
