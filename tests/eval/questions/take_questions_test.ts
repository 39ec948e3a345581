import { assertEquals, assertThrows } from "@std/assert";
import { takeQuestions } from "../../../eval/questions/take_questions.ts";
import type { Task } from "../../../eval/task.ts";
import { sums } from "../../../eval/tasks/sums.ts";
import { UserError } from "../../../gpu/errors.ts";

/** A stream that repeats its first `different` questions for ever, or up to `size` of them. */
const repeating = (different: number, size: number | null): Task => ({
  ...sums,
  size: () => size,
  question: (_stream, _seed, index) => {
    const id = `q${index % different}`;
    return { id, question: `question ${id}`, gold: "1" };
  },
});
const ids = (task: Task, count: number) => takeQuestions(task, "test", 0, count).map(({ id }) => id);

Deno.test("questions that repeat are asked once, in the order in which they come first", () => {
  assertEquals(ids(repeating(3, null), 3), ["q0", "q1", "q2"]);
  assertEquals(ids(repeating(5, null), 3), ["q0", "q1", "q2"]);
  assertEquals(ids(repeating(3, 7), 9), ["q0", "q1", "q2"]);
  assertEquals(ids(repeating(3, 2), 9), ["q0", "q1"]);
});

Deno.test("a stream that repeats itself without end is told", () => {
  assertThrows(() => ids(repeating(3, null), 4), UserError, "after 3 of them");
});
