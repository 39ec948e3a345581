import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { takeQuestions } from "../../../eval/questions/take_questions.ts";
import type { Question, Stream } from "../../../eval/task.ts";
import { openTask } from "../../../eval/tasks/open_task.ts";
import { demonstration, DEMONSTRATIONS, type SumsStyle } from "../../../eval/tasks/sums_demonstration.ts";
import { SUMS, SUMS_SLIPS } from "../../../eval/tasks/sums_problem.ts";
import { sums, sumsSlips, sumsTask } from "../../../eval/tasks/sums.ts";
import { UserError } from "../../../gpu/errors.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";

/** Solves a problem from its words alone, as a reader would. */
function solve(question: string): { start: number; operations: string; result: number } {
  const [first, ...events] = question.split(/(?<=\.)\s/).filter((sentence) => sentence.endsWith("."));
  const start = Number(/^\w+ has (\d+) \w+\.$/.exec(first)![1]);
  let [result, operations] = [start, ""];
  for (const event of events) {
    const number = Number(/\d+/.exec(event)?.[0]);
    if (event.includes("doubles")) [result, operations] = [result * 2, `${operations}*2`];
    else if (event.includes("triples")) [result, operations] = [result * 3, `${operations}*3`];
    else if (event.includes("more")) [result, operations] = [result + number, `${operations}+${number}`];
    else [result, operations] = [result - number, `${operations}-${number}`];
    assert(result >= 0);
  }
  return { start, operations, result };
}

function draw(task: typeof sums, stream: Stream, count: number, seed = 0): Question[] {
  return Array.from({ length: count }, (_, index) => task.question(stream, seed, index));
}

for (const [task, options] of [[sums, SUMS], [sumsSlips, SUMS_SLIPS]] as const) {
  Deno.test(`${task.name}: golds are right, and numbers stay within the difficulty`, () => {
    for (const { question, gold } of draw(task, "train", 2000)) {
      const { start, operations, result } = solve(question);
      assertEquals(gold, `${result}`);
      assert(start >= options.minStart && start <= options.maxStart);
      assert(result <= options.maxResult);
      const count = operations.match(/[-+*]/g)!.length;
      assert(count >= options.minOperations && count <= options.maxOperations);
    }
  });

  Deno.test(`${task.name}: written steps compute, join up and end in the boxed answer`, () => {
    for (let index = 0; index < 2000; index++) {
      const { prompt, completion, habit } = demonstration(
        3,
        index,
        { stepsShare: 0.5, ownersShare: 0 },
        options,
      );
      const { start, result } = solve(prompt.slice("User: ".length));
      const [steps, box] = completion.split(" The final answer is: ");
      assertEquals(box, `\\boxed{${result}}`);
      assertEquals(steps === "", habit === "blurt");
      let total = start;
      for (const step of steps.matchAll(/ (\d+) ([-+*]) (\d+) = (\d+)\./g)) {
        const [a, b, c] = [step[1], step[3], step[4]].map(Number);
        assertEquals(a, total);
        total = step[2] === "+" ? a + b : step[2] === "-" ? a - b : a * b;
        assertEquals(c, total);
      }
      if (habit === "steps") assertEquals(total, result);
    }
  });

  Deno.test(`${task.name}: every text passes the tokenizer byte for byte, and within the limits`, () => {
    const tokenizer = builtinTokenizer();
    const lengths = { prompt: [] as number[], thinking: [] as number[] };
    const boxLength = (gold: string) => tokenizer.encode(` \\boxed{${gold}}`).length;
    for (const style of ["steps", "chain", "totals"] as SumsStyle[]) {
      for (let index = 0; index < 1000; index++) {
        const styles = { [style]: 1 };
        const { prompt, completion } = demonstration(
          5,
          index,
          { stepsShare: 0.9, styles, wrongShare: 0.2, ownersShare: 0.2 },
          options,
        );
        const [promptIds, completionIds] = [prompt, completion].map((text) => tokenizer.encode(text));
        assertEquals(tokenizer.decode([...promptIds, ...completionIds]), prompt + completion);
        assertEquals(tokenizer.encode(prompt + completion), [...promptIds, ...completionIds]);
        const gold = /boxed\{(\d+)/.exec(completion)![1];
        assert(boxLength(gold) - 1 <= task.limits.answerTokens);
        lengths.prompt.push(promptIds.length);
        lengths.thinking.push(completionIds.length - boxLength(gold));
      }
    }
    assert(Math.max(...lengths.thinking) <= task.limits.maxThinking);
    const mean = (values: number[]) => (values.reduce((a, b) => a + b) / values.length).toFixed(1);
    for (const [part, values] of Object.entries(lengths)) {
      console.log(`${task.name} ${part}: ${mean(values)} tokens on average, at most ${Math.max(...values)}`);
    }
  });
}

Deno.test("streams share no question, not even one with other words, over 100,000 draws", () => {
  const seen = new Map<string, Stream>();
  const count: Record<Stream, number> = { train: 60_000, validation: 20_000, test: 20_000 };
  for (const stream of ["train", "validation", "test"] as const) {
    for (const seed of [0, 1]) {
      for (const { question } of draw(sums, stream, count[stream] / 2, seed)) {
        const { start, operations } = solve(question);
        const other = seen.get(start + operations);
        assert(other === undefined || other === stream, `${start}${operations} is in ${other} and ${stream}`);
        seen.set(start + operations, stream);
      }
    }
  }
});

Deno.test("demonstrations come from the train stream alone", async () => {
  const prompts = draw(sums, "test", 5000).map(({ question }) => sums.prompt(question));
  const test = new Set(await Promise.all(prompts));
  for (let index = 0; index < 5000; index++) assert(!test.has(demonstration(0, index).prompt));
});

Deno.test("a question depends on stream, seed and index alone", () => {
  assertEquals(sums.question("test", 7, 41), sums.question("test", 7, 41));
  const distinct = (questions: Question[]) => new Set(questions.map(({ question }) => question)).size;
  assertEquals(distinct([0, 1, 2, 3].map((seed) => sums.question("train", seed, 0))), 4);
  assert(distinct(draw(sums, "train", 1000)) > 990);
  // Change the version of the task if this changes: published results name their questions by it.
  assertEquals(sums.question("test", 0, 0), PINNED);
});

Deno.test("habits, styles and slips come in the parts asked for", () => {
  const share = (
    options: Parameters<typeof demonstration>[2],
    is: (text: string, gold: string) => boolean,
  ) => {
    let hits = 0;
    for (let index = 0; index < 4000; index++) {
      const { prompt, completion } = demonstration(1, index, { ownersShare: 0, ...options });
      if (is(completion, `${solve(prompt.slice(6)).result}`)) hits++;
    }
    return hits / 4000;
  };
  const isNear = (value: number, target: number) =>
    assert(Math.abs(value - target) < 0.04, `${value} ${target}`);
  isNear(share({}, (text) => text.includes("=")), 0.45);
  isNear(share({ stepsShare: 1, styles: { steps: 1, totals: 3 } }, (text) => text.includes("=")), 0.25);
  isNear(share({ stepsShare: 1 }, (text, gold) => text.endsWith(`{${gold}}`)), 1);
  const wrong = share({ stepsShare: 1, wrongShare: 0.5 }, (text, gold) => !text.endsWith(`{${gold}}`));
  assert(wrong > 0.25 && wrong < 0.5, `${wrong}`);
});

Deno.test("grades: 100 right, 10 wrong but extracted, 0 nothing extracted", async () => {
  assertEquals(await sums.grade("25", "25}"), {
    reward: 100,
    correct: true,
    answer: "25",
    rule: "identical text",
  });
  assertEquals((await sums.grade("25", "25}. And more")).reward, 100);
  assertEquals(await sums.grade("25", "24}"), {
    reward: 10,
    correct: false,
    answer: "24",
    rule: "exact numbers",
  });
  for (const nothing of ["25", "", "}", " }"]) {
    assertEquals(await sums.grade("25", nothing), { reward: 0, correct: false, answer: null, rule: null });
  }
});

Deno.test("tasks are found by name, and questions of a table are different ones", async () => {
  assertEquals(await openTask("sums"), sums);
  await assertRejects(() => openTask("summs"), UserError, "sums, sums-slips");
  await assertRejects(() => openTask("sums", { data: "x.jsonl" }), UserError, "made up");
  const table = takeQuestions(sums, "test", 0, 256);
  assertEquals(new Set(table.map(({ question }) => question)).size, 256);
  const narrow = { ...SUMS, maxOperations: 2, maxStart: 2, maxOperand: 1 };
  const tiny = sumsTask("tiny", narrow, DEMONSTRATIONS, sums.limits);
  assertThrows(() => takeQuestions(tiny, "train", 0, 100_000), UserError, "repeats");
  const single = sumsTask(
    "single",
    { ...narrow, minOperations: 1, maxOperations: 1, scales: [] },
    DEMONSTRATIONS,
    sums.limits,
  );
  assertThrows(() => takeQuestions(single, "test", 0, 1), UserError, "wider difficulty");
});

Deno.test("impossible difficulties are refused", () => {
  const make = (change: Partial<typeof SUMS>) => () =>
    sumsTask("x", { ...SUMS, ...change }, DEMONSTRATIONS, sums.limits);
  assertThrows(make({ minOperations: 0 }), UserError, "operations");
  assertThrows(make({ minOperations: 6 }), UserError, "operations");
  assertThrows(make({ maxStart: 51 }), UserError, "range");
  assertThrows(() => demonstration(0, 0, { stepsShare: 1, styles: {} }), UserError, "style");
});

const PINNED: Question = {
  id: "sums-f7e4267c-029d1d28",
  question: "Mia has 3 cards. Mia doubles them. Mia buys 1 more. Mia sells 6. How many cards does Mia have?",
  gold: "1",
};
