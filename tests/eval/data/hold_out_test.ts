import { assert, assertEquals, assertThrows } from "@std/assert";
import { holdOut } from "../../../eval/data/hold_out.ts";
import { normalText } from "../../../eval/data/normal_text.ts";
import { countAmong, overlapsOf } from "../../../eval/data/overlap.ts";
import { questionIds } from "../../../eval/data/question_ids.ts";
import { trainingOrder } from "../../../eval/data/training_order.ts";
import type { Question } from "../../../eval/task.ts";
import { UserError } from "../../../gpu/errors.ts";

function questions(texts: string[]): Question[] {
  const nextId = questionIds("t");
  return texts.map((question) => ({ id: nextId(question), question, gold: "0" }));
}

const thousand = questions(Array.from({ length: 1000 }, (_, i) => `Question ${i}?`));
const ids = (some: Question[]) => some.map(({ id }) => id);

Deno.test("256 questions are held out by the seed, whatever their order in the file", () => {
  const { train, validation } = holdOut("t", thousand);
  assertEquals([train.length, validation.length], [744, 256]);
  assertEquals(new Set([...ids(train), ...ids(validation)]).size, 1000);
  assertEquals(ids(train), ids(thousand).filter((id) => !ids(validation).includes(id)), "order is kept");
  const backwards = thousand.toReversed();
  assertEquals(ids(holdOut("t", backwards).validation), ids(validation));
  const other = ids(holdOut("t", thousand, { seed: 1 }).validation);
  const common = other.filter((id) => ids(validation).includes(id)).length;
  assert(common > 30 && common < 110, `${common} of 256 in common, about 65 are expected`);
  assertEquals(ids(holdOut("t", thousand, { validation: 10 }).validation), ids(validation).slice(0, 10));
});

Deno.test("no more than half is held out, and no repeat of what is held out is trained on", () => {
  const names = Array.from({ length: 9 }, (_, i) => `Apples ${i}?`);
  const few = questions([...names, "apples 0 ?", "APPLES 3?"]);
  for (let seed = 0; seed < 20; seed++) {
    const { train, validation } = holdOut("t", few, { seed });
    assertEquals(validation.length, 4);
    const texts = train.map(({ question }) => normalText(question));
    for (const { question } of validation) assert(!texts.includes(normalText(question)));
    assertEquals(new Set(texts).size, 5);
  }
  // Of few different ones none: training would lack what tells little.
  const fewer = questions([...names.slice(0, 5), "apples 0 ?", "APPLES 3?"]);
  assertEquals(holdOut("t", fewer), { train: fewer, validation: [] });
  assertEquals(holdOut("t", questions(["Alone?"])), { train: questions(["Alone?"]), validation: [] });
});

Deno.test("the questions of a run are held out again by their ids; others are told to be missing", () => {
  const { train, validation } = holdOut("t", thousand, { seed: 3, validation: 20 });
  const heldOut = ids(validation);
  assertEquals(holdOut("t", thousand, { seed: 9, heldOut }), { train, validation });
  const changed = thousand.filter(({ id }) => id !== heldOut[4]);
  assertThrows(() => holdOut("t", changed, { heldOut }), UserError, "1 of 20 are not in these data");
});

Deno.test("every pass over the training questions has an order of its own, by the seed", () => {
  const place = trainingOrder(50);
  const pass = (seed: number, n: number) => Array.from({ length: 50 }, (_, i) => place(seed, n * 50 + i));
  const orders = [pass(0, 0), pass(0, 1), pass(1, 0), pass(0, 7)];
  for (const order of orders) {
    assertEquals(order.toSorted((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i));
  }
  assertEquals(new Set(orders.map(String)).size, 4);
  assertEquals(pass(0, 0), orders[0], "asked again, in between of others");
  const first = Array.from({ length: 2000 }, (_, seed) => place(seed, 0));
  const mean = first.reduce((sum, at) => sum + at, 0) / first.length;
  // Of uniform places 0 to 49 over 2,000 seeds: 24.5, standard error 0.32.
  assert(Math.abs(mean - 24.5) < 1.3, `${mean}`);
});

Deno.test("ids follow from the text without its typesetting; repeats are numbered; 100,000 texts share none", () => {
  const nextId = questionIds("t");
  const id = nextId("What is $1 + 1$?");
  assertEquals(id, questionIds("t")("what is 1+1 ?"));
  assertEquals(nextId("What is 1 + 1?"), `${id}-2`);
  assertEquals(nextId("What is 1 + 1?"), `${id}-3`);
  const many = questionIds("t");
  const all = Array.from({ length: 100_000 }, (_, i) => many(`Question ${i}?`));
  assertEquals(all.filter((id) => id.split("-").length > 2), []);
});

Deno.test("overlaps count different questions by normalised text, for each pair of splits", () => {
  const ours = { train: ["A?", "a ?", "B?"], test: ["C?"] };
  assertEquals(overlapsOf(ours, "x", { test: ["A", "$b$?", "b?", "D?"] }), [
    { split: "train", other: "x", otherSplit: "test", questions: 1 },
  ]);
  assertEquals(overlapsOf(ours, "x", { train: ["a?", "{b}?"], test: ["c?"] }), [
    { split: "train", other: "x", otherSplit: "train", questions: 2 },
    { split: "test", other: "x", otherSplit: "test", questions: 1 },
  ]);
  assertEquals(countAmong(["A?", "a?", "B?"], ["a ?"]), 2);
});
