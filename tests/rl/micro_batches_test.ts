import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { microBatches } from "../../rl/micro_batches.ts";
import { inputRows, type ScoredGroup, type ScoredRollout } from "../../rl/packed_batch.ts";

/** Groups by the lengths of prompt and rollouts (thinking, forced, answer), ids in their order. */
function groupsOf(lengths: { prompt: number; rollouts: [number, number, number][] }[]): ScoredGroup[] {
  let id = 0;
  const tokens = (count: number) => Array<number>(count).fill(1);
  return lengths.map(({ prompt, rollouts }) => ({
    prompt: tokens(prompt),
    rollouts: rollouts.map(([thinking, forced, answer]): ScoredRollout => ({
      id,
      index: id++,
      thinking: tokens(thinking),
      forced: tokens(forced),
      answer: tokens(answer),
      advantage: 1,
    })),
  }));
}

const size = (parts: readonly ScoredGroup[]) =>
  parts.reduce(
    (sum, { prompt, rollouts }) =>
      sum + prompt.length + rollouts.reduce((rows, rollout) => rows + inputRows(rollout), 0),
    0,
  );
const ids = (parts: readonly ScoredGroup[]) => parts.flatMap(({ rollouts }) => rollouts.map(({ id }) => id));

const LENGTHS = fc.array(
  fc.record({
    prompt: fc.integer({ min: 1, max: 30 }),
    rollouts: fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
      ),
      { minLength: 1, maxLength: 8 },
    ),
  }),
  { maxLength: 6 },
);

Deno.test("every rollout is in one part, in order, beside its own prompt", () => {
  fc.assert(fc.property(LENGTHS, fc.integer({ min: 1, max: 400 }), (lengths, rows) => {
    const groups = groupsOf(lengths);
    const parts = microBatches(groups, rows);
    assertEquals(ids(parts.flat()), ids(groups));
    const promptOf = new Map(groups.flatMap((group) => group.rollouts.map(({ id }) => [id, group.prompt])));
    for (const { prompt, rollouts } of parts.flat()) {
      for (const { id } of rollouts) assert(promptOf.get(id) === prompt);
    }
  }));
});

Deno.test("a part exceeds the budget only if a single rollout does; no part is empty", () => {
  fc.assert(fc.property(LENGTHS, fc.integer({ min: 1, max: 400 }), (lengths, rows) => {
    for (const part of microBatches(groupsOf(lengths), rows)) {
      assert(ids(part).length > 0);
      assert(size(part) <= rows || ids(part).length === 1, `${size(part)} rows of ${rows}`);
    }
  }));
});

Deno.test("a group that fits is never split, and its prompt runs once", () => {
  fc.assert(fc.property(LENGTHS, fc.integer({ min: 1, max: 400 }), (lengths, rows) => {
    const groups = groupsOf(lengths);
    const parts = microBatches(groups, rows).flat();
    for (const group of groups) {
      if (size([group]) > rows) continue;
      assertEquals(parts.filter(({ prompt }) => prompt === group.prompt).length, 1);
    }
  }));
});

Deno.test("parts are filled up to the budget", () => {
  const groups = groupsOf(
    Array.from({ length: 5 }, () => ({ prompt: 10, rollouts: [[5, 3, 3], [15, 3, 3]] })),
  );
  assertEquals(size(groups), 5 * (10 + 10 + 20));
  assertEquals(microBatches(groups, 80).map((part) => part.length), [2, 2, 1]);
  assertEquals(microBatches(groups, 79).map((part) => part.length), [1, 1, 1, 1, 1]);
  assertEquals(microBatches(groups, 200).length, 1);
  assertEquals(microBatches([], 80), []);
});
