import { createAnswerPool } from "./answer/answer_pool.ts";
import { boxedContinuation } from "./answer/box.ts";
import type { Precision } from "./answer/compare/tolerance.ts";
import { type Grade, gradeOf, type Task } from "./task.ts";

/** What is to be graded. */
export interface Submission {
  /** The right answer. */
  gold: string;
  /** What the model wrote after the forced `\boxed{`. */
  continuation: string;
  /** How exact the answer must be; as the task says where it is left out. */
  precision?: Precision;
}

/** Grades many answers of a task at once. Close it when done. */
export interface Grader extends Disposable {
  /** Grades in the order of the submissions; they are those of `task.grade`. */
  grade(submissions: readonly Submission[]): Promise<Grade[]>;
  /** Ends the workers. */
  close(): void;
}

// An answer is judged in microseconds; two workers keep one hostile answer from holding up the others.
const WORKERS = 2;

/** A grader that judges in this thread, as it is asked. */
export function gradeInPlace({ grade }: Pick<Task, "grade">): Grader {
  return {
    grade: async (all) =>
      await Promise.all(all.map(({ gold, continuation, precision }) => grade(gold, continuation, precision))),
    close() {},
    [Symbol.dispose]() {},
  };
}

/**
 * A grader that judges in workers what the answer checker judges, so that an answer that takes long holds up neither the
 * GPU nor Ctrl-C; other tasks grade in place.
 */
export function createGrader(task: Pick<Task, "grade" | "checking">): Grader {
  if (!task.checking) return gradeInPlace(task);
  const { golds, options } = task.checking;
  const pool = createAnswerPool({ workers: WORKERS, verify: options });
  return {
    async grade(submissions) {
      const answers = submissions.map(({ continuation }) => boxedContinuation(continuation));
      const asked = submissions.flatMap(({ gold, precision }, i) => {
        const answer = answers[i];
        const own = precision === undefined ? {} : { options: { precision } };
        return answer === null ? [] : [{ gold: golds?.(gold) ?? gold, answer, ...own }];
      });
      const verdicts = (await pool.verify(asked))[Symbol.iterator]();
      return answers.map((answer) => gradeOf(answer, answer === null ? null : verdicts.next().value!));
    },
    close: () => pool.close(),
    [Symbol.dispose]: () => pool.close(),
  };
}
