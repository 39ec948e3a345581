import { lastBox } from "../answer/box.ts";
import type { Row } from "../data/row.ts";
import { RowError, textIn, textOf } from "../data/row_fields.ts";
import { dataTask, type Reading } from "./data_task.ts";

const limits = { maxThinking: 512, maxThinkingEval: 512, answerTokens: 32 };
const checking = { percent: true };

/** MATH (Hendrycks et al., 2021): competition problems in seven subjects. Its first home on the hub is gone. */
export const math = dataTask({
  name: "math",
  version: 1,
  about: "Competition problems in seven subjects and five levels",
  source: {
    hub: "EleutherAI/hendrycks_math",
    licence: "MIT",
    splits: {
      train: ["*/train-*.parquet", "train.jsonl", "train.parquet", "train-*.parquet"],
      test: ["*/test-*.parquet", "test.jsonl", "test.parquet", "test-*.parquet"],
    },
  },
  limits,
  checking,
  read: readMath,
});

/** The 500 problems of MATH's test split that most papers report (Lightman et al., 2023). */
export const math500 = dataTask({
  name: "math-500",
  version: 1,
  about: "500 problems of MATH's test split",
  source: {
    hub: "HuggingFaceH4/MATH-500",
    licence: "MIT",
    folders: ["math-500", "math500", "math_500", "math"],
    splits: { test: ["math500.jsonl", "math-500.jsonl", "math_500.jsonl", "test.jsonl", "test-*.parquet"] },
  },
  limits,
  checking,
  read(row) {
    // A folder may hold all of MATH under the same names.
    if ("type" in row && !("unique_id" in row)) {
      throw new RowError("is one of MATH, but not of MATH-500: it has no unique_id");
    }
    return readMath(row);
  },
});

/**
 * The gold is the last box of the solution, everywhere: a field `answer`, where there is one, is not the same in every copy
 * of the data, with units dropped and commands destroyed.
 */
function readMath(row: Row): Reading {
  const question = textOf(row, "problem").trim();
  const solution = textOf(row, "solution").trim();
  const gold = lastBox(solution);
  if (gold === null) return { drop: "no answer in a box" };
  const subject = textIn(row, "subject") ?? textIn(row, "type");
  const level = Number(/\d/.exec(String(row.level ?? ""))?.[0] ?? NaN);
  return {
    question,
    gold,
    solution,
    ...(subject === undefined ? {} : { subject }),
    ...(Number.isNaN(level) ? {} : { level }),
  };
}
