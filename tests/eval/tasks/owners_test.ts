import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ChoiceTask } from "../../../eval/choices/choice_task.ts";
import type { Stream } from "../../../eval/task.ts";
import { openAnyTask } from "../../../eval/tasks/open_task.ts";
import { demonstration } from "../../../eval/tasks/sums_demonstration.ts";
import { UserError } from "../../../gpu/errors.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";

const task = await openAnyTask("owners") as ChoiceTask;
const questions = (stream: Stream) =>
  Array.from({ length: task.size(stream) }, (_, index) => task.question(stream, index, 0));

/** Follows the story of two owners from its words alone, as a reader would. */
function solve(question: string): number {
  const totals: Record<string, number> = {};
  for (const [sentence] of question.matchAll(/[^.?]+[.?]/g)) {
    const [name, verb, ...rest] = sentence.trim().split(" ");
    const number = Number(/\d+/.exec(sentence)?.[0]);
    if (verb === "has") totals[name] = number;
    else if (verb === "doubles") totals[name] *= 2;
    else if (name === "How") return totals[rest.at(-2)!];
    else totals[name] += sentence.includes("more") ? number : -number;
  }
  throw new Error("no question");
}

Deno.test("owners: the right choice ends in the number of the one who is asked for, and the others are different", () => {
  let others = 0;
  for (const { question, context, choices, right } of [...questions("test"), ...questions("validation")]) {
    assertEquals(context, `User: ${question} Assistant:`);
    assert(choices[right].endsWith(`\\boxed{${solve(question)}}`), question);
    assertEquals(new Set(choices).size, choices.length);
    others += choices.length - 1;
    for (const choice of choices) assert(/^\d+ [-+*] \d+ = \d+\./.test(choice), choice);
  }
  assert(others > 2 * 2048, "two wrong choices and more by question");
});

Deno.test("owners: streams and demonstrations share no story, and each is told in the words of the embedded tokenizer", () => {
  const tokenizer = builtinTokenizer();
  const texts = { test: questions("test"), validation: questions("validation") };
  const test = new Set(texts.test.map(({ context }) => context));
  assert(test.size > 1000);
  for (const { context } of texts.validation) assert(!test.has(context));
  let shown = 0;
  for (let index = 0; index < 4000; index++) {
    const { prompt, completion } = demonstration(0, index);
    if (new Set(prompt.match(/\w+ has/g)).size === 2) shown++;
    assert(!test.has(prompt));
    assertEquals(tokenizer.decode(tokenizer.encode(prompt + completion)), prompt + completion);
  }
  assert(Math.abs(shown / 4000 - 0.2) < 0.03, `${shown} of 4000 tell of two owners`);
  assertEquals(task.size("train"), 0);
});

Deno.test("owners: questions of a stream stay what they are, and no data are read", async () => {
  // Change the version of the task if this changes: published results name their questions by it.
  const { question, choices, right } = task.question("test", 0, 0);
  assertEquals({ question, choices, right }, PINNED);
  await assertRejects(() => openAnyTask("owners", { data: "x.jsonl" }), UserError, "made up");
});

const PINNED = {
  question:
    "Kim has 5 pens. Ben has 2 pens. Kim doubles them. Ben drops 1. Kim uses 7. Ben doubles them. How many pens does Ben have?",
  choices: [
    "2 - 1 = 1. 1 * 2 = 2. The final answer is: \\boxed{2}",
    "5 * 2 = 10. 10 - 7 = 3. The final answer is: \\boxed{3}",
    "2 - 1 = 0. 0 * 2 = 0. The final answer is: \\boxed{0}",
    "5 * 2 = 10. 10 - 7 = 6. The final answer is: \\boxed{6}",
  ],
  right: 0,
};
