import { assertEquals, assertThrows } from "@std/assert";
import { assert as hold } from "../../../gpu/assert.ts";
import type { Slot } from "../../../model/generation/kv_rows.ts";
import { createPrefix } from "../../../model/generation/prefix.ts";
import { type Sequence, startSequence } from "../../../model/generation/sequence.ts";
import { createStride } from "../../../model/generation/stride.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { createTokenRun, splitRun } from "../../../model/generation/token_run.ts";
import { prefixRows } from "../../../model/memory/cache_budget.ts";
import { tokenizer } from "../support/small_models.ts";

const rules = thinkingRules(tokenizer, { maxThinking: 10, maxAnswer: 4, endTokenIds: [0] });
const longest = Math.max(...Object.values(rules.forcedIds).map((ids) => ids.length));
const PREFIX = { job: 0, ids: [1, 2, 3], start: 5, unfinished: 1 };

const start = (slot: Partial<Slot> = {}, context = 3 + 10 + longest + 4): Sequence =>
  startSequence(tokenizer, { rules }, { index: 7, rolloutId: 0 }, createPrefix(PREFIX, 8), {
    start: 8,
    rows: 10 + longest + 4 + 4,
    ...slot,
  }, context);

const refused = (work: () => unknown, what: string) => assertThrows(work, Error, what);

Deno.test("the message of an assertion is written only where it fails", () => {
  let written = 0;
  const message = () => `Cannot go on: written ${++written} times`;
  hold(true, message);
  assertEquals(written, 0);
  refused(() => hold(false, message), "Cannot go on: written 1 times");
});

Deno.test("a prefix has tokens, and sequences, and lies within the rows of prefixes", () => {
  assertEquals(createPrefix(PREFIX, 8), { ...PREFIX, prefilled: false });
  refused(() => createPrefix(PREFIX, 7), "Cannot share a prompt of 3 tokens at KV row 5 among 1 sequences");
  for (const wrong of [{ ids: [] }, { start: -1 }, { unfinished: 0 }]) {
    refused(() => createPrefix({ ...PREFIX, ...wrong }, 8), "Cannot share a prompt");
  }
});

Deno.test("a sequence's slot has rows for its thinking, for its answer, and for a stride past either", () => {
  refused(() => start({ rows: 13 }), "Cannot generate 10 tokens of sequence 7 from position 3");
  const enough = start();
  enough.beginAnswerEarly();
  assertEquals([enough.part, enough.partStart, enough.maxSteps], ["answer", 3 + 10 + longest, 4]);
  const short = start({ rows: 10 + longest + 4 + 3 });
  refused(() => short.beginAnswerEarly(), "Cannot generate 4 tokens of sequence 7 from position 18");
});

Deno.test("a sequence's thinking and answer lie within the model's context", () => {
  refused(() => start({}, 3 + 9), "from position 3: the model's context ends at 12");
  const short = start({}, 3 + 10 + longest + 3);
  refused(() => short.beginAnswerEarly(), `from position ${13 + longest}: the model's context ends at`);
});

Deno.test("a run of tokens is not empty, its KV rows are in the cache, and who wants its output exists", () => {
  const run = { ids: [4, 5], outputRows: [0, 1], prefixStart: 5, prefixLen: 3, ownStart: 8, position: 3 };
  assertEquals(createTokenRun(run, 10, 2), run);
  refused(() => createTokenRun(run, 9, 2), "Cannot prefill 2 tokens from position 3 after a prefix of 3");
  refused(() => createTokenRun(run, 10, 1), "output rows are 0, 1 of 1");
  const wrongs = [
    ...[{ ids: [] }, { position: 2 }, { prefixStart: 8 }, { prefixStart: -1 }, { ownStart: -1 }],
    { prefixLen: -1 },
    { outputRows: [-1] },
  ];
  for (const wrong of wrongs) refused(() => createTokenRun({ ...run, ...wrong }, 10, 2), "Cannot prefill");
});

Deno.test("a run splits where both parts have tokens, and the second wants the outputs", () => {
  const run = { ids: [4, 5, 6], outputRows: [0], prefixStart: 5, prefixLen: 3, ownStart: 8, position: 3 };
  const [first, rest] = splitRun(run, 2);
  assertEquals([first.ids, first.outputRows, first.position], [[4, 5], [], 3]);
  assertEquals([rest.ids, rest.outputRows, rest.position], [[6], [0], 5]);
  for (const count of [0, 3]) refused(() => splitRun(run, count), `Cannot split 3 tokens after ${count}`);
});

Deno.test("a stride has steps, a slot for each row, and answers in front", () => {
  const [thinks, answers, ended] = [start(), start(), start()];
  answers.beginAnswerEarly();
  ended.steps = 10;
  const { rows, steps } = createStride([answers, thinks], 2);
  assertEquals([steps, rows.map(({ part, answersBegun }) => [part, answersBegun])], [4, [
    ["answer", 1],
    ["thinking", 0],
  ]]);
  refused(() => createStride([answers, thinks], 1), "Cannot decode 4 steps of 2 sequences in 1 slots");
  refused(() => createStride([], 1), "0 sequences");
  refused(() => createStride([ended], 1), "Cannot decode 0 steps");
  refused(() => createStride([thinks, answers], 2), "Cannot decode sequence 7 in row 0");
  refused(() => createStride([ended, thinks], 2), "thinking is at step 10, a step below 10");
  thinks.finished = true;
  refused(() => createStride([thinks], 1), "it has finished");
});

Deno.test("what a cache is planned for has prompts and rollouts, and no mean above the most", () => {
  const shape = { promptTokens: 9, meanPromptTokens: 4.5, prompts: 2, group: 1, maxNewTokens: 0 };
  assertEquals(prefixRows(2, shape), 9);
  for (
    const wrong of [
      { promptTokens: 4 },
      { meanPromptTokens: 0 },
      { meanPromptTokens: NaN },
      { prompts: 0 },
      { group: 0 },
      { maxNewTokens: -1 },
    ]
  ) refused(() => prefixRows(2, { ...shape, ...wrong }), "Cannot plan a cache");
});
