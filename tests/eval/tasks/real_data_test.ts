import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { parseAnswer } from "../../../eval/answer/verify.ts";
import { readRows } from "../../../eval/data/read_rows.ts";
import { overlapsOf } from "../../../eval/data/overlap.ts";
import type { Question, Stream, Task } from "../../../eval/task.ts";
import { generationEntry, openTask } from "../../../eval/tasks/open_task.ts";
import { overlapsWith, setsAtHand } from "../../../eval/tasks/sets_at_hand.ts";
import { trainingOverlap } from "../../../eval/tasks/training_overlap.ts";

// Held against ../shared/data/README.md.
const data = "../shared/data";
const ignore = !existsSync(data);
if (ignore) console.log(`skipped: ${data} is absent, tests of the tasks on real data do not run`);

const all = (task: Task, stream: Stream): Question[] =>
  Array.from({ length: task.size(stream)! }, (_, i) => task.question(stream, 0, i));

/** Rows of the files, rows that are left out, and what is left for test, or else for training and validation. */
const FIGURES: Record<
  string,
  { rows: Record<string, number>; left: Record<Stream, number>; dropped?: object }
> = {
  gsm8k: { rows: { train: 7473, test: 1319 }, left: { train: 7217, validation: 256, test: 1319 } },
  math: {
    rows: { train: 7500, test: 5000 },
    left: { train: 7237, validation: 256, test: 5000 },
    dropped: { train: { "no answer in a box": 2, "also in another split": 5 }, test: {} },
  },
  "math-500": { rows: { test: 500 }, left: { train: 0, validation: 0, test: 500 } },
  olympiadbench: { rows: { test: 675 }, left: { train: 0, validation: 0, test: 675 } },
  deepscaler: {
    rows: { train: 3209 },
    // 3,207 less 256 and the 10 repeats of these.
    left: { train: 2941, validation: 256, test: 0 },
    dropped: {
      train: { "no answer": 1, "an answer that no box can hold": 1, "repeats of held-out questions": 10 },
    },
  },
  aime: { rows: { test: 975 }, left: { train: 0, validation: 0, test: 975 } },
};

Deno.test({
  name: "each real set has as many rows and questions as it should, and every gold can be graded",
  ignore,
  fn: async () => {
    for (const [name, { rows, left, dropped }] of Object.entries(FIGURES)) {
      const task = await openTask(name, { data });
      assertEquals(task.data!.rows, rows, name);
      const nothing = Object.fromEntries(Object.keys(rows).map((split) => [split, {}]));
      assertEquals(task.data!.dropped, dropped ?? nothing, name);
      for (const stream of ["train", "validation", "test"] as const) {
        assertEquals(task.size(stream), left[stream], `${name} ${stream}`);
      }
      const questions = [...all(task, "train"), ...all(task, "validation"), ...all(task, "test")];
      assertEquals(new Set(questions.map(({ id }) => id)).size, questions.length, name);
      const unread = questions.filter(({ gold }) => parseAnswer(gold).node === null);
      const grades = await Promise.all(
        questions.map(({ gold, precision }) => task.grade(gold, `${gold}}`, precision)),
      );
      const wrong = questions.filter((_, i) => !grades[i].correct);
      console.log(
        `${name}: ${questions.length} questions, ${unread.length} golds compared as text alone, ` +
          `${wrong.length} not equal to themselves`,
      );
      assertEquals(wrong.map(({ gold }) => gold), [], name);
      // DISAGREEMENTS.md of the answer checker says which.
      assert(unread.length <= 6, unread.map(({ gold }) => gold).join("\n"));
    }
  },
});

Deno.test({
  name:
    "gsm8k: 93 golds with thousands commas and 5 negative ones, all plain integers; aime: integers from 0 to 999",
  ignore,
  fn: async () => {
    const gsm8k = await openTask("gsm8k", { data });
    const golds = [...all(gsm8k, "train"), ...all(gsm8k, "validation"), ...all(gsm8k, "test")];
    assertEquals(golds.filter(({ gold }) => !/^-?\d+$/.test(gold)).map(({ gold }) => gold), []);
    assertEquals(golds.filter(({ gold }) => gold.startsWith("-")).length, 5);
    const withCommas = ["train", "test"].flatMap((split) =>
      Deno.readTextFileSync(`${data}/gsm8k/${split}.jsonl`).match(/#### -?\d+,/g) ?? []
    );
    assertEquals(withCommas.length, 93);
    assert(golds.every(({ solution }) => !/<<|####/.test(solution!)));
    const aime = await openTask("aime", { data });
    assert(all(aime, "test").every(({ gold }) => /^\d{1,3}$/.test(gold)));
  },
});

Deno.test({
  name: "olympiadbench: 94 golds with several answers, one with a tolerance",
  ignore,
  fn: async () => {
    const questions = all(await openTask("olympiadbench", { data }), "test");
    const rows = await readRows(`${data}/olympiadbench/test.jsonl`);
    const several = questions.filter((_, i) => rows[i].is_multiple_answer);
    assertEquals(several.length, 94);
    assert(several.every(({ gold }) => gold.includes(",")));
    const precise = questions.filter(({ precision }) => precision !== undefined);
    assertEquals(precise.map(({ gold, precision }) => [gold, precision]), [["4.2", ["1e-1"]]]);
    assertEquals(questions.filter(({ gold }) => !gold.includes("$")).length, 409);
  },
});

Deno.test({
  name: "deepscaler: no question ends with an instruction; unique questions of both subsets",
  ignore,
  fn: async () => {
    const texts = async (file: string) => {
      const task = await openTask("deepscaler", {
        data: `${data}/deepscaler/${file}.parquet`,
        validation: 0,
      });
      return all(task, "train").map(({ question }) => question);
    };
    const [a, b] = [await texts("subset_a"), await texts("subset_b")];
    assertEquals([a.length, b.length], [2000, 1207]);
    assert([...a, ...b].every((text) => !text.includes("output the final answer within")));
    assertEquals([new Set(a).size, new Set(b).size, new Set([...a, ...b]).size], [
      1985,
      1205,
      1985 + 1205 - 57,
    ]);
  },
});

Deno.test({
  name: "what sets have in common is what is known of them",
  ignore,
  fn: async () => {
    const { texts } = await generationEntry("aime");
    const aime = await texts!({ data });
    const shared = overlapsWith("aime", aime, await setsAtHand([data]));
    const found = Object.fromEntries(
      shared.map((
        { split, other, otherSplit, questions },
      ) => [`${split}, ${other} ${otherSplit}`, questions]),
    );
    assertEquals(found, {
      "test, math train": 316,
      "test, math test": 35,
      "test, math-500 test": 5,
      "test, deepscaler train": 33 + 41,
    });
    const deepscaler = (await generationEntry("deepscaler")).texts!;
    const math = await (await generationEntry("math")).texts!({ data });
    for (const [subset, withAime] of [["subset_a", 33], ["subset_b", 41]] as const) {
      const own = await deepscaler({ data: `${data}/deepscaler/${subset}.parquet` });
      assertEquals(overlapsOf(own, "aime", aime).map(({ questions }) => questions), [withAime], subset);
      const withTest = overlapsOf(own, "math", math).filter(({ otherSplit }) => otherSplit === "test");
      assertEquals(withTest.map(({ questions }) => questions), [3], subset);
    }
  },
});

Deno.test({
  name:
    "a run on deepscaler was trained on 74 questions of aime and on 6 of MATH's test; a run on math on none of math-500",
  ignore,
  fn: async () => {
    const questions = async (name: string) =>
      all(await openTask(name, { data }), "test").map(({ question }) => question);
    const deepscaler = { task: "deepscaler", data };
    assertEquals((await trainingOverlap(deepscaler, await questions("aime")))!.questions, 74);
    assertEquals((await trainingOverlap(deepscaler, await questions("math")))!.questions, 6);
    assertEquals((await trainingOverlap({ task: "math", data }, await questions("math-500")))!.questions, 0);
    // One of the 316 is in MATH's test split too, and so left out of training.
    assertEquals((await trainingOverlap({ task: "math", data }, await questions("aime")))!.questions, 315);
  },
});
