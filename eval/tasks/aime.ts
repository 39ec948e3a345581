import { textIn, textOf } from "../data/row_fields.ts";
import { dataTask } from "./data_task.ts";

/** The American Invitational Mathematics Examination of all years; the answers are integers from 0 to 999. */
export const aime = dataTask({
  name: "aime",
  version: 1,
  about: "Problems of the AIME since 1983; the answers are integers from 0 to 999",
  source: {
    hub: "di-zhang-fdu/AIME_1983_2024",
    licence: "MIT",
    folders: ["aime", "deepscaler"],
    splits: { test: ["AIME_Dataset_*.csv", "aime*.json", "aime*.jsonl", "aime*.parquet", "test.jsonl"] },
  },
  limits: { maxThinking: 512, maxThinkingEval: 512, answerTokens: 32 },
  read(row) {
    // The hub's columns are capitalised.
    const [question, answer, year] = "Question" in row
      ? [textOf(row, "Question"), textOf(row, "Answer"), row.Year]
      : [textOf(row, "problem"), textOf(row, "answer"), row.year];
    const gold = answer.trim().replace(/^0+(?=\d)/, "");
    if (gold === "") return { drop: "no answer" };
    const solution = textIn(row, "solution");
    return {
      question: question.trim(),
      gold,
      ...(solution === undefined ? {} : { solution: solution.trim() }),
      ...(year === undefined || year === null ? {} : { subject: `AIME ${year}` }),
    };
  },
});
