import { boxedContinuation } from "../answer/box.ts";
import type { Row, RowValue } from "../data/row.ts";
import { RowError, textIn, textOf } from "../data/row_fields.ts";
import { dataTask } from "./data_task.ts";

/** DeepScaleR (Luo et al., 2025): 40,315 competition problems, for training alone. */
export const deepscaler = dataTask({
  name: "deepscaler",
  version: 1,
  about: "Competition problems from AIME, AMC, Omni-MATH and STILL, for training",
  source: {
    hub: "agentica-org/DeepScaleR-Preview-Dataset",
    licence: "MIT",
    splits: {
      train: [
        "deepscaler.json",
        "subset_*.parquet",
        "train.parquet",
        "deepscaler*.parquet",
        "train-*.parquet",
      ],
    },
  },
  limits: { maxThinking: 512, maxThinkingEval: 512, answerTokens: 32 },
  checking: { percent: true },
  read(row) {
    const { text, gold, solution } = "prompt" in row ? inVerlForm(row) : inHubForm(row);
    if (gold.trim() === "") return { drop: "no answer" };
    // Cut off by whoever collected them: no rollout could ever be right.
    if (boxedContinuation(`${gold}}`) !== gold.trim()) return { drop: "an answer that no box can hold" };
    const question = withoutInstruction(text);
    if (question === "") return { drop: "no question" };
    return { question, gold: gold.trim(), ...(solution === undefined ? {} : { solution: solution.trim() }) };
  },
});

interface Parts {
  text: string;
  gold: string;
  solution?: string;
}

function inHubForm(row: Row): Parts {
  return { text: textOf(row, "problem"), gold: answerOf(row.answer), solution: textIn(row, "solution") };
}

/** The form of the library verl: messages, and the answer inside of what its reward function is told. */
function inVerlForm(row: Row): Parts {
  const message = Array.isArray(row.prompt) ? row.prompt.at(-1) : null;
  if (!isRecord(message)) throw new RowError("has no message in prompt, one with a content is needed");
  if (!isRecord(row.reward_model)) {
    throw new RowError("has no reward_model, one with a ground_truth is needed");
  }
  return { text: textOf(message, "content"), gold: answerOf(row.reward_model.ground_truth) };
}

const answerOf = (value: RowValue | undefined) =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

const isRecord = (value: RowValue | undefined): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The copies in verl's form end each question with an instruction of their own. */
function withoutInstruction(text: string): string {
  return text.trim().replace(
    /\s*Let's think step by step and output the final answer within \\boxed\{\}\.?$/,
    "",
  ).trim();
}
