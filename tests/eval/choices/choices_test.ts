import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { encodeChoices } from "../../../eval/choices/encode_choices.ts";
import { type ChoiceRecord, judgeChoices, tallyChoices } from "../../../eval/choices/choice_result.ts";
import type { ChoiceQuestion } from "../../../eval/choices/choice_task.ts";
import { evaluateChoices } from "../../../eval/choices/evaluate_choices.ts";
import { pythonRstrip } from "../../../eval/choices/python_strip.ts";
import type { LongPrompts } from "../../../eval/questions/long_prompts.ts";
import { UserError } from "../../../gpu/errors.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { freeModel, type Model } from "../../../model/transformer/transformer.ts";
import { randomModel, SMALL } from "../../model/support/small_models.ts";
import { separateLayout } from "../../reference/attention.ts";
import { embeddingGather } from "../../reference/embedding.ts";
import {
  asFloat64,
  EMBEDDING,
  headForward,
  transformerForward,
  type Weights,
} from "../../reference/transformer.ts";
import { downloadNamed } from "../../rl/support/named_weights.ts";
import { asked, letterTask, letterTokenizer } from "../support/letters.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => gpu.close());
const tokenizer = letterTokenizer();

const QUESTIONS = [
  asked("abc def\nabc", ["a", "b b.", "gh abab", "cc cc cc cc."], 1),
  asked("e f g h ab", ["abc", "b"], 1),
  asked("ab ", ["ab.", "ha ha ha"], 0),
  asked("cab dab, ".replace(",", "."), ["a", "a", "e"], 2),
];

/** ln p of each token of a text but the first, in f64: one sequence, nothing shared. */
function referenceScores(weights: Weights, ids: number[]): number[] {
  const x = embeddingGather(weights.get(EMBEDDING)!, ids.slice(0, -1), SMALL.hiddenSize);
  const { hidden } = transformerForward(SMALL, weights, x, separateLayout([ids.length - 1]));
  const z = headForward(SMALL, weights, hidden);
  return ids.slice(1).map((id, t) => {
    const row = z.subarray(t * SMALL.vocabSize, (t + 1) * SMALL.vocabSize);
    const top = Math.max(...row);
    return row[id] - top - Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
  });
}

async function withModel(test: (model: Model) => Promise<void>, config = SMALL) {
  const model = randomModel(gpu, config, 3);
  try {
    await test(model);
  } finally {
    freeModel(model);
  }
}

Deno.test("every choice gets the sum that its text has alone, in f64, over all columns of the head", async () => {
  await withModel(async (model) => {
    const weights = asFloat64(
      new Map([...await downloadNamed(gpu, SMALL, model.params)].map(([name, data]) => [name, { data }])),
    );
    const { records } = await evaluateChoices(model, tokenizer, letterTask(QUESTIONS), { stream: "test" });
    assertEquals(records.length, QUESTIONS.length);
    QUESTIONS.forEach(({ context, choices, right }, q) => {
      const expected = choices.map((choice) => {
        const before = tokenizer.encode(pythonRstrip(context)).length;
        const ids = tokenizer.encode(`${context} ${choice}`);
        return {
          sum: referenceScores(weights, ids).slice(before - 1).reduce((a, b) => a + b),
          tokens: ids.length - before,
        };
      });
      records[q].sums.forEach((sum, c) => assertAlmostEquals(sum, expected[c].sum, 2e-5));
      assertEquals(records[q].tokens, expected.map(({ tokens }) => tokens));
      assertAlmostEquals(records[q].nll, -expected[right].sum / expected[right].tokens, 1e-5);
    });
  });
});

Deno.test("neither the size of passes nor what is known already changes a bit", async () => {
  await withModel(async (model) => {
    const task = letterTask([...QUESTIONS, ...QUESTIONS]);
    const run = (options: object) => evaluateChoices(model, tokenizer, task, { stream: "test", ...options });
    const whole = await run({});
    assertEquals(whole.records.map(({ index }) => index), [0, 1, 2, 3, 4, 5, 6, 7]);
    for (const passRows of [1, 20, 64]) assertEquals((await run({ passRows })).records, whole.records);
    const fresh: ChoiceRecord[] = [];
    // A record that belongs to another question is not taken.
    const known = [...whole.records.slice(0, 3), { ...whole.records[4], index: 3 }];
    const resumed = await run({ known, onRecord: (record: ChoiceRecord) => fresh.push(record) });
    assertEquals(resumed.records, whole.records);
    assertEquals(fresh.map(({ index }) => index), [3, 4, 5, 6, 7]);
    assertEquals([resumed.rows, resumed.truncated], [whole.rows, whole.truncated]);
    const limited = await run({ questions: 2, passRows: 16 });
    assertEquals(limited.records, whole.records.slice(0, 2));
  });
});

Deno.test("a stop comes between passes, after the questions that are done were told", async () => {
  await withModel(async (model) => {
    const stop = new AbortController();
    const told: number[] = [];
    await assertRejects(() =>
      evaluateChoices(model, tokenizer, letterTask(QUESTIONS), {
        stream: "test",
        passRows: 1,
        signal: stop.signal,
        onRecord: ({ index }) => told.push(index),
        onProgress: ({ done }) => done === 2 && stop.abort(),
      })
    );
    assertEquals(told, [0, 1]);
  });
});

Deno.test("what exceeds the context is cut from the left, for each choice by itself", async () => {
  const long = asked("abcdefgh".repeat(4), ["a", "bbbb cccc dddd"], 0);
  await withModel(async (model) => {
    const { records, truncated } = await evaluateChoices(model, tokenizer, letterTask([long]), {
      stream: "test",
    });
    assertEquals(truncated, 1);
    const weights = asFloat64(
      new Map([...await downloadNamed(gpu, SMALL, model.params)].map(([name, data]) => [name, { data }])),
    );
    const expected = long.choices.map((choice, c) => {
      const ids = tokenizer.encode(`${long.context} ${choice}`).slice(-33); // 32 inputs, the last is predicted alone
      return referenceScores(weights, ids).slice(-records[0].tokens[c]).reduce((a, b) => a + b);
    });
    records[0].sums.forEach((sum, c) => assertAlmostEquals(sum, expected[c], 2e-5));
  }, { ...SMALL, maxPosition: 32 });
});

Deno.test("questions longer than the context are refused or left out where that is asked for, and no more of them is tokenised than shows it", async () => {
  const endless = asked("abcd efgh ".repeat(200_000), ["a", "b"], 0);
  const long = asked("abcdefgh".repeat(4), ["a", "bbbb cccc dddd"], 0);
  const short = QUESTIONS[0];
  await withModel(async (model) => {
    let most = 0;
    const counting = {
      ...tokenizer,
      encode: (text: string) => (most = Math.max(most, text.length), tokenizer.encode(text)),
    };
    const run = (questions: ChoiceQuestion[], longPrompts: LongPrompts) =>
      evaluateChoices(model, counting, letterTask(questions), { stream: "test", longPrompts });
    const whole = await run([short], "truncate");
    const left = await run([long, short, endless, long], "skip");
    assertEquals([left.questions, left.skipped, left.truncated], [1, 3, 0]);
    assertEquals(left.records.map(({ index, sums }) => [index, sums]), [[1, whole.records[0].sums]]);
    await assertRejects(
      () => run([short, endless], "refuse"),
      UserError,
      "longer than the 32 tokens of the model's",
    );
    await assertRejects(() => run([long], "refuse"), UserError, `question ${long.id} in whole`);
    await assertRejects(() => run([long, endless], "skip"), UserError, "all 2 questions of");
    assert((await run([short], "refuse")).skipped === undefined);
    // The same as of its end alone.
    const cut = await run([endless, asked("abcd efgh ".repeat(50), ["a", "b"], 0)], "truncate");
    assertEquals(cut.records[0].sums, cut.records[1].sums);
    assert(most < 5000, `${most} characters`);
  }, { ...SMALL, maxPosition: 32 });
});

Deno.test("no question, and a pass that no device could hold, are said", async () => {
  await withModel(async (model) => {
    const run = (questions: typeof QUESTIONS, options = {}) =>
      evaluateChoices(model, tokenizer, letterTask(questions), { stream: "test", ...options });
    await assertRejects(() => run([]), UserError, "there is no test question");
    await assertRejects(() => run(QUESTIONS, { shots: 2 }), UserError, "its data hold none");
    await assertRejects(() => run([asked("ab", ["c".repeat(300)])]), UserError, "it has 301 tokens");
  });
});

Deno.test("context and choice are encoded as one text and split behind the context's own tokens", () => {
  const ids = (context: string, choices: string[], from = tokenizer, most = 100) => {
    const { groups, truncated } = encodeChoices(from, asked(context, choices), most);
    const text = (tokens: readonly number[]) =>
      tokens.map((id) => id === 0 ? "<s>" : tokenizer.tokenText(id));
    return [
      ...groups.map((
        { context, choices, continuations },
      ) => [text(context), choices, continuations.map(text)]),
      truncated,
    ];
  };
  assertEquals(ids("c", ["a", "d"]), [[["c"], [0, 1], [[" a"], [" ", "d"]]], 0]);
  // White space at the end of the context goes to the choices, whatever it is.
  assertEquals(ids("c \n", ["b"]), [[["c"], [0], [[" ", "\n", " b"]]], 0]);
  // Split by count: that `d` and the blank are one token in the whole text is not looked at.
  assertEquals(ids("cd", ["a", "c"]), [[["c", "d"], [0, 1], [[" a"], ["c"]]], 0]);
  assertEquals(ids("ca", ["b."], letterTokenizer(true)), [[["<s>", "c", "a"], [0], [[" b", "."]]], 0]);
  // 3 inputs at most: 4 tokens in all, the last of which is no input.
  assertEquals(ids("cdefg", ["a", "ah"], tokenizer, 3), [
    [["e", "f", "g"], [0], [[" a"]]],
    [["f", "g"], [1], [[" a", "h"]]],
    2,
  ]);
  assertThrows(() => ids("c", ["dddd"], tokenizer, 3), UserError, "choice 1");
});

Deno.test("the largest sum is picked, or the largest by characters; the first of equal ones", () => {
  const question = asked("c", ["aaaa", "b", "\u{1f600}e"], 1, "law");
  const judge = (...logps: number[][]) => judgeChoices(7, question, logps, { truncated: 0, rows: 3 });
  const record = judge([-1, -2, -3], [-2.5, -2.5], [-7, -3]);
  assertEquals(record.sums, [-6, -5, -10]);
  assertEquals(record.characters, [4, 1, 2]);
  assertEquals([record.pick, record.pickNormed, record.correct, record.correctNormed], [1, 0, true, false]);
  assertEquals([record.nll, record.gold, record.answer, record.subject], [2.5, "b", "b", "law"]);
  assertEquals(judge([-4], [-4], [-4]).pick, 0);
});

Deno.test("subjects, categories, micro and macro", () => {
  const one = (subject: string, correct: boolean, nll: number): ChoiceRecord => ({
    ...judgeChoices(0, asked("c", ["a", "b"], correct ? 0 : 1, subject), [[-nll], [-nll - 1]], {
      truncated: 0,
      rows: 2,
    }),
    nll,
  });
  const records = [one("law", true, 1), one("law", true, 2), one("law", false, 3), one("art", false, 6)];
  const tally = tallyChoices({ categories: { law: "humanities", art: "humanities" } }, records);
  assertEquals(tally.questions, 4);
  assertEquals(tally.accuracy, { value: 0.5, standardError: 0.25, questions: 4 });
  assertEquals(tally.nll.value, 3);
  // Sample deviation sqrt(14 / 3), over sqrt 4.
  assertAlmostEquals(tally.nll.standardError, Math.sqrt(14 / 3) / 2, 1e-12);
  assertEquals(tally.subjects!.map(({ name, questions }) => [name, questions]), [["art", 1], ["law", 3]]);
  assertEquals(tally.categories!.map(({ name, questions }) => [name, questions]), [["humanities", 4]]);
  assertAlmostEquals(tally.macro!.accuracy.value, (2 / 3 + 0) / 2, 1e-12);
  assertAlmostEquals(tally.macro!.nll.value, (2 + 6) / 2, 1e-12);
  const [art, law] = tally.subjects!;
  assertAlmostEquals(
    tally.macro!.accuracy.standardError,
    Math.hypot(art.accuracy.standardError, law.accuracy.standardError) / 2,
    1e-12,
  );
  assertEquals(
    tallyChoices({}, [judgeChoices(0, asked("c", ["a", "b"]), [[-1], [-2]], { truncated: 0, rows: 2 })])
      .macro,
    undefined,
  );
});
