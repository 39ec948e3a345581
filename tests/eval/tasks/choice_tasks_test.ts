import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import type { ChoiceQuestion, ChoiceTask } from "../../../eval/choices/choice_task.ts";
import type { OpenTaskOptions } from "../../../eval/tasks/task_entry.ts";
import { openAnyTask, openTask } from "../../../eval/tasks/open_task.ts";
import { pythonRstrip, pythonStrip } from "../../../eval/choices/python_strip.ts";
import { UserError } from "../../../gpu/errors.ts";
import { root } from "../../support/places.ts";
import { inFolder } from "../../support/folders.ts";

const fixtures = `${root}tests/eval/fixtures`;

async function open(name: string, options: OpenTaskOptions): Promise<ChoiceTask> {
  const task = await openAnyTask(name, options);
  if (task.kind !== "choice") throw new Error(`${name} is answered in text`);
  return task;
}

const questionsOf = (task: ChoiceTask, shots = 0): ChoiceQuestion[] =>
  Array.from({ length: task.size("test") }, (_, index) => task.question("test", index, shots));

/** The task from the hub's form and from the other one: the same questions, ids included. */
async function bothForms(name: string): Promise<ChoiceTask> {
  const hub = await open(name, { data: `${fixtures}/${name}/hub` });
  const local = await open(name, { data: `${fixtures}/${name}/local` });
  assertEquals(hub.mostShots, local.mostShots);
  for (let shots = 0; shots <= hub.mostShots; shots++) {
    assertEquals(questionsOf(hub, shots), questionsOf(local, shots));
  }
  return hub;
}

const withFile = (name: string, text: string, test: (path: string) => Promise<void>) =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    await test(`${folder}/${name}`);
  });

Deno.test("arc-challenge: 3 to 5 choices, labelled with letters or numbers", async () => {
  const questions = questionsOf(await bothForms("arc-challenge"));
  assertEquals(questions.map(({ choices }) => choices.length), [4, 5, 3, 4]);
  assertEquals(questions.map(({ choices, right }) => choices[right]), ["ice", "light", "a whale", "eight"]);
  assertEquals(questions[0].context, "Question: Which of these melts in the sun?\nAnswer:");
});

Deno.test("hellaswag: cleaned as lm-evaluation-harness does, rows without an answer left out and counted", async () => {
  const task = await bothForms("hellaswag");
  assertEquals(task.data!.rows, { test: 3 });
  assertEquals(task.data!.dropped, { test: { "no right answer": 1 } });
  // What the harness's own process_docs makes of the fixture.
  assertEquals(questionsOf(task).map(({ context, choices, right }) => [context, ...choices, right]), [
    ["Baking bread: A baker kneads dough on a table. The baker", "bakes it.", "sings.", "swims.", "runs.", 0],
    [
      "Home and Garden: How to water plants. Take a can. Fill it with water.  Not too much.",
      ...[" Lift it up.", "Drop it.", "Paint it. red.", "Sell it."],
      2,
    ],
  ]);
});

Deno.test("mmlu: a question of each subject in turn, repeats kept, line breaks within cells made one", async () => {
  const task = await bothForms("mmlu");
  const questions = questionsOf(task);
  assertEquals(questions.map(({ subject }) => subject), ["anatomy", "world_religions", "anatomy", "anatomy"]);
  assertEquals(questions.map(({ right }) => right), [0, 1, 3, 0]);
  assertEquals(questions.every(({ choices }) => choices.join() === "A,B,C,D"), true);
  // The second of two equal questions has the id of the first, with a number.
  assertEquals(questions[3].id, `${questions[0].id}-2`);
  assertEquals(questions[3].context, questions[0].context);
  assertEquals(
    questions[2].context,
    "The following are multiple choice questions (with answers) about anatomy.\n\n" +
      "Statement 1 | Bones are soft.\nStatement 2 | Bones are hard.\n" +
      "A. True, True\nB. False, False\nC. True, False\nD. False, True\nAnswer:",
  );
  // As many examples as every subject has.
  assertEquals(task.mostShots, 1);
  assertEquals(
    task.question("test", 1, 1).context,
    "The following are multiple choice questions (with answers) about world religions.\n\n" +
      "Which is a river?\nA. Rome\nB. Athens\nC. the Nile\nD. Troy\nAnswer: C\n\n" +
      'Who wrote "The Histories"?\nA. Homer\nB. Herodotus\nC. Virgil\nD. Ovid\nAnswer:',
  );
  assertEquals(task.categories!.anatomy, "stem");
  assertEquals(Object.keys(task.categories!).length, 57);
  assertEquals(
    Object.values(task.categories!).filter((category) => category === "social sciences").length,
    12,
  );
});

Deno.test("mmlu from one file of one subject", async () => {
  const task = await open("mmlu", { data: `${fixtures}/mmlu/local/test/anatomy_test.csv` });
  assertEquals([task.size("test"), task.size("validation"), task.mostShots], [3, 0, 0]);
  assertThrows(() => task.question("validation", 0, 0), UserError, "validation split of mmlu");
});

Deno.test("rows that cannot be understood are named, with their file", async () => {
  const arc = (row: object) => `${JSON.stringify({ question: "q", answerKey: "A", ...row })}\n`;
  const refused = async (name: string, file: string, text: string, why: RegExp) => {
    await withFile(file, text, async (path) => {
      const error = await assertRejects(() => open(name, { data: path }), UserError);
      assertMatch(error.message, why);
      assertMatch(error.message, new RegExp(file.replace(".", "\\.")));
    });
  };
  const choices = { text: ["a", "b"], label: ["B", "C"] };
  await refused(
    "arc-challenge",
    "test.jsonl",
    arc({ choices }),
    /row 1 has no right answer among its 2 choices/,
  );
  await refused("arc-challenge", "test.jsonl", arc({}), /row 1 has no object as choices/);
  await refused("arc-challenge", "test.jsonl", arc({ choices: { text: [1] } }), /row 1 has .* as text/);
  const ending = { activity_label: "x", ctx_a: "a", ctx_b: "b", endings: ["a", "b"], label: 2 };
  await refused("hellaswag", "val.jsonl", JSON.stringify(ending), /row 1 has no right answer among its 2/);
  await refused("hellaswag", "val.jsonl", `{"label": 1}`, /row 1 has nothing as ctx_a/);
  await refused(
    "mmlu",
    "law_test.csv",
    "q,a,b,c,d,A\nq,a,b,c,d,E\n",
    /row 2 has no right answer among its 4/,
  );
  await refused("mmlu", "law_test.csv", "q,a,b,c,d\n", /line 1 has 5 cells/);
});

Deno.test("a choice task is refused where texts are generated", async () => {
  await assertRejects(() => openTask("mmlu"), UserError, "it is answered by choosing");
});

Deno.test("white space is what Python's strip takes off", () => {
  assertEquals(pythonStrip("\x1c\x85 a\u3000b \ufeff\n\t"), "a\u3000b \ufeff");
  assertEquals(pythonRstrip(" a \u2028\xa0"), " a");
  assertEquals([pythonStrip(" \n"), pythonRstrip("")], ["", ""]);
});
