import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { takeQuestions } from "../../../eval/questions/take_questions.ts";
import { createGrader } from "../../../eval/grader.ts";
import type { Question, Stream, Task } from "../../../eval/task.ts";
import { generationEntry, openAnyTask, openTask } from "../../../eval/tasks/open_task.ts";
import { TASKS } from "../../../eval/tasks/tasks.ts";
import { trainingOverlap } from "../../../eval/tasks/training_overlap.ts";
import { UserError } from "../../../gpu/errors.ts";
import { inFolder } from "../../support/folders.ts";
import { withEnv } from "../../support/with_env.ts";

// The hub's form of each data set and the other one, in made-up rows: tests/eval/fixtures/make_questions.py.
const fixtures = "tests/eval/fixtures";

const all = (task: Task, stream: Stream): Question[] =>
  Array.from({ length: task.size(stream)! }, (_, i) => task.question(stream, 0, i));

/** Questions without their order, which is not the same in both forms. */
const sorted = (questions: Question[]) => questions.toSorted((a, b) => a.id < b.id ? -1 : 1);

async function bothForms(name: string): Promise<{ hub: Task; local: Task }> {
  const [hub, local] = await Promise.all(
    ["hub", "local"].map((form) => openTask(name, { data: `${fixtures}/${name}/${form}`, validation: 2 })),
  );
  return { hub, local };
}

Deno.test("gsm8k: the answer behind ####, without commas, negative ones too; the calculator's notes are gone", async () => {
  const { hub, local } = await bothForms("gsm8k");
  assertEquals(all(hub, "test"), all(local, "test"));
  assertEquals(all(hub, "test").map(({ gold }) => gold), ["1200", "-5"]);
  assertEquals(hub.question("test", 0, 0).solution, "30 * 40 = 1200.");
  assertEquals(hub.data, {
    origin: `${fixtures}/gsm8k/hub`,
    rows: { train: 6, test: 3 },
    dropped: { train: {}, test: { "no answer after ####": 1 } },
  });
  assertEquals([hub.size("train"), hub.size("validation")], [4, 2]);
  assertEquals(hub.limits, { maxThinking: 128, maxThinkingEval: 512, answerTokens: 32 });
  assert((await hub.grade("1200", "1,200}")).correct);
});

Deno.test("math: the last box of the solution whatever the field answer says; train questions of the test are left out", async () => {
  const { hub, local } = await bothForms("math");
  for (const task of [hub, local]) {
    const train = [...all(task, "train"), ...all(task, "validation")];
    assertEquals(train.map(({ gold }) => gold).sort(), ["32", "6", "\\frac{1}{2}"]);
    assertEquals(task.data!.dropped, {
      train: { "no answer in a box": 1, "also in another split": 1 },
      test: {},
    });
    assertEquals(train.find(({ gold }) => gold === "32")!.level, 1);
    assertEquals(train.find(({ gold }) => gold.includes("frac"))!.level, undefined);
  }
  assertEquals(sorted(all(hub, "test")), sorted(all(local, "test")));
  assert((await local.grade("7\\text{ m}", "7}")).correct);
  assert((await local.grade("50\\%", "50}")).correct, "a percentage may stand without its sign");
});

Deno.test("math-500: both forms are the same; rows of the whole of MATH are not taken for it", async () => {
  const { hub, local } = await bothForms("math-500");
  assertEquals(all(hub, "test"), all(local, "test"));
  assertEquals(all(hub, "test").map(({ gold, subject, level }) => [gold, subject, level]), [
    ["2", "Prealgebra", 1],
    ["7\\text{ m}", "Geometry", 3],
  ]);
  const error = await assertRejects(
    () => openTask("math-500", { data: `${fixtures}/math/local` }),
    UserError,
    "row 1 is one of MATH, but not of MATH-500: it has no unique_id",
  );
  assertStringIncludes(error.hint!, "its fields are problem, level, type, solution, idx");
});

Deno.test("olympiadbench: several answers, a tolerance, no images; its train split has no questions to hold out", async () => {
  const { hub, local } = await bothForms("olympiadbench");
  assertEquals(all(hub, "test"), all(local, "test"));
  const [several, rounded, pair] = all(hub, "test");
  assertEquals([several.gold, rounded.gold, rounded.precision, several.precision], [
    "3,-3",
    "$4.2$",
    ["1e-1"],
    undefined,
  ]);
  const right = ({ gold, precision }: Question, answer: string) => hub.grade(gold, `${answer}}`, precision);
  assert((await right(several, "-3, 3")).correct);
  assert(!(await right(several, "3")).correct);
  assert((await right(rounded, "4.25")).correct);
  assert(!(await right(rounded, "4.35")).correct);
  assert(!(await hub.grade(rounded.gold, "4.25}")).correct, "without its tolerance it must be exact");
  assert((await right(pair, "(1, 2)")).correct);
  using grader = createGrader(hub);
  const { gold, precision } = rounded;
  const asked = ["4.25}", "4.35}", "4.2"].map((continuation) => ({ gold, precision, continuation }));
  assertEquals(
    await grader.grade(asked),
    await Promise.all(
      asked.map(({ gold, continuation, precision }) => hub.grade(gold, continuation, precision)),
    ),
  );
  assertEquals([hub.size("train"), hub.size("validation"), hub.heldOut], [0, 0, undefined]);
});

Deno.test("deepscaler: the instruction behind each question is cut, rows without an answer are left out", async () => {
  const { hub, local } = await bothForms("deepscaler");
  for (const task of [hub, local]) {
    assertEquals(task.data!.rows, { train: 4 });
    assertEquals(task.data!.dropped, { train: { "no answer": 1 } });
    // So few different ones are all trained on: two of the three differ in white space alone.
    assertEquals(task.heldOut, []);
    assertEquals(all(task, "train").map(({ gold }) => gold).sort(), ["42", "42", "\\frac{3}{2}"]);
    const texts = all(task, "train").map(({ question }) => question);
    assert(texts.every((text) => !text.includes("step by step")), texts.join("\n"));
  }
  assertEquals(hub.heldOut, local.heldOut);
});

Deno.test("aime: both forms, leading zeros dropped", async () => {
  const { hub, local } = await bothForms("aime");
  assertEquals(all(hub, "test").map(({ question, gold, subject }) => [question, gold, subject]), [
    ["Find the sum\nof 20 and 40.", "60", "AIME 1983"],
    ['Say "seven", in digits.', "7", "AIME 2001"],
  ]);
  assertEquals(all(hub, "test").map(({ id }) => id), all(local, "test").map(({ id }) => id));
  assert((await hub.grade("60", "060}")).correct);
});

Deno.test("a folder of several sets, a file whose name tells its split, and one whose name tells nothing", () =>
  inFolder(async (folder) => {
    for (const name of ["gsm8k", "math"]) {
      Deno.mkdirSync(`${folder}/${name}`);
      for (const split of ["train", "test"]) {
        Deno.copyFileSync(`${fixtures}/${name}/local/${split}.jsonl`, `${folder}/${name}/${split}.jsonl`);
      }
    }
    const gsm8k = await openTask("gsm8k", { data: folder });
    assertEquals(gsm8k.data!.origin, `${folder}/gsm8k`);
    assertEquals((await openTask("math", { data: `${folder}/` })).data!.origin, `${folder}/math`);
    const train = await openTask("gsm8k", { data: `${folder}/gsm8k/train.jsonl`, validation: 0 });
    assertEquals([train.size("train"), train.size("test")], [6, 0]);
    Deno.copyFileSync(`${folder}/gsm8k/train.jsonl`, `${folder}/mine.jsonl`);
    assertEquals((await openTask("gsm8k", { data: `${folder}/mine.jsonl` })).size("test"), 6);
    const forTraining = { data: `${folder}/mine.jsonl`, split: "train", validation: 0 };
    assertEquals((await openTask("gsm8k", forTraining)).size("train"), 6);
  }));

/** Runs a test where the hub's cache is a new folder. */
const inEmptyCache = (test: (cache: string) => Promise<void>) =>
  inFolder((cache) => withEnv({ HF_HUB_CACHE: cache }, () => test(cache)));

Deno.test("what is missing or wrong is told: data, rows, questions", () =>
  inEmptyCache(async (empty) => {
    const missing = await assertRejects(
      () => openTask("gsm8k"),
      UserError,
      "openai/gsm8k is not in the cache",
    );
    assertStringIncludes(missing.hint!, "softcot data pull gsm8k");
    const data = `${empty}/none`;
    await assertRejects(() => openTask("gsm8k", { data }), UserError, "there is no such file or folder");
    await assertRejects(
      () => openTask("gsm8k", { data: empty }),
      UserError,
      "files such as main/train-*.parquet",
    );
    Deno.writeTextFileSync(`${empty}/test.txt`, "");
    await assertRejects(
      () => openTask("gsm8k", { data: `${empty}/test.txt` }),
      UserError,
      "ends with .jsonl",
    );
    Deno.writeTextFileSync(
      `${empty}/test.jsonl`,
      '{"question": "a", "answer": "#### 1"}\n{"question": "b", "answer": null}\n',
    );
    const row = await assertRejects(
      () => openTask("gsm8k", { data: empty }),
      UserError,
      "row 2 has null as answer",
    );
    assertStringIncludes(row.hint!, "question, answer");
    const task = await openTask("math-500", { data: `${fixtures}/math-500/hub` });
    assertThrows(() => task.question("train", 0, 0), UserError, "its data hold none");
    assertThrows(() => task.question("test", 0, 2), UserError, "there are 2");
    await assertRejects(() => openTask("mmlu"), UserError, "answered by choosing");
    const wanted = { data: `${fixtures}/math-500/hub`, split: "train" };
    const message = "Cannot take train questions of math-500: there are none, it has test (2)";
    const trained = await assertRejects(() => openTask("math-500", wanted), UserError, message);
    assertStringIncludes(trained.hint!, "softcot eval math-500 measures it");
    const measured = await assertRejects(() => openAnyTask("math-500", wanted), UserError, message);
    assertEquals(measured.hint, "choose with --split test");
    Deno.writeTextFileSync(`${empty}/test.jsonl`, "");
    const none = () => openTask("gsm8k", { data: empty });
    await assertRejects(none, UserError, `Cannot use the data of gsm8k from ${empty}: they hold no row`);
    Deno.writeTextFileSync(`${empty}/test.jsonl`, '{"question": "a", "answer": "1"}\n');
    await assertRejects(none, UserError, "all 1 rows are left out (1 no answer after ####)");
  }));

Deno.test("the hub's cache is read where nothing is named, at a commit too", () =>
  inEmptyCache(async (cache) => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const repo = `${cache}/datasets--openai--gsm8k`;
    Deno.mkdirSync(`${repo}/snapshots/${commit}/main`, { recursive: true });
    Deno.mkdirSync(`${repo}/refs`);
    Deno.mkdirSync(`${repo}/blobs`);
    Deno.writeTextFileSync(`${repo}/refs/main`, commit);
    for (const split of ["train", "test"]) {
      const name = `main/${split}-00000-of-00001.parquet`;
      Deno.copyFileSync(`${fixtures}/gsm8k/hub/${name}`, `${repo}/blobs/${split}`);
      Deno.symlinkSync(`../../../blobs/${split}`, `${repo}/snapshots/${commit}/${name}`);
    }
    for (const options of [{}, { revision: commit }]) {
      const task = await openTask("gsm8k", options);
      assertEquals([task.data!.origin, task.size("test")], ["openai/gsm8k@0123456789ab", 2]);
    }
    await assertRejects(() => openTask("gsm8k", { revision: "other" }), UserError, "not in the cache");
  }));

Deno.test("what a run was trained on is found again among the questions of an evaluation", async () => {
  const trained = { task: "gsm8k", data: `${fixtures}/gsm8k/local` };
  const train = all(await openTask("gsm8k", { data: trained.data }), "train").map(({ question }) => question);
  const questions = [train[0].toUpperCase(), "Something else?"];
  assertEquals(await trainingOverlap(trained, questions), { questions: 1, of: 2 });
  const test = all(await openTask("math", { data: `${fixtures}/math/local` }), "test");
  const math = { task: "math", data: `${fixtures}/math/local` };
  assertEquals(await trainingOverlap(math, test.map(({ question }) => question)), { questions: 0, of: 2 });
  assertEquals(await trainingOverlap({ task: "sums" }, questions), null);
  assertEquals(await trainingOverlap({ ...trained, data: "no/such/folder" }, questions), null);
});

Deno.test("every task tells what it is, and prompts in the paper's words", async () => {
  for (const { name, kind, source, about, version } of TASKS) {
    assert(version >= 1 && about !== "", name);
    if (source) assert(/^[\w-]+\/[\w.-]+$/.test(source.hub) && source.licence !== "", name);
    if (kind === "choice" || !source) continue;
    const text = await (await generationEntry(name)).prompt("WHY?");
    assert(text.startsWith("A conversation between User and Assistant. The user asks"), name);
    assert(text.endsWith("\\boxed{[answer]}.' User: WHY? Assistant:"), name);
  }
  assertEquals(new Set(TASKS.map(({ name }) => name)).size, TASKS.length);
  const task = await openAnyTask("gsm8k", { data: `${fixtures}/gsm8k/local` });
  assert(task.kind === "generation");
  assertEquals(takeQuestions(task, "test", 0, 5).length, 2);
});
