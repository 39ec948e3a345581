import type { Row } from "../data/row.ts";
import { RowError, textIn, textOf, textsOf } from "../data/row_fields.ts";
import { dataTask } from "./data_task.ts";

/** OlympiadBench (He et al., 2024): its English maths problems without images that have an answer. */
export const olympiadbench = dataTask({
  name: "olympiadbench",
  version: 1,
  about: "Olympiad problems in English, without images; 674 on the hub, 675 elsewhere",
  source: {
    hub: "Hothan/OlympiadBench",
    licence: "Apache-2.0 on the hub, MIT at its authors",
    splits: { test: ["**/OE_TO_maths_en_COMP/*.parquet", "**/OE_TO_maths_en_COMP.*", "test.jsonl"] },
  },
  limits: { maxThinking: 512, maxThinkingEval: 512, answerTokens: 32 },
  read(row) {
    const answers = textsOf(row, "final_answer").map((answer) => answer.trim()).filter((answer) =>
      answer !== ""
    );
    if (answers.length === 0) return { drop: "no answer" };
    const precision = precisionOf(row);
    const solution = Array.isArray(row.solution) ? row.solution[0] : row.solution;
    const subject = textIn(row, "subfield");
    return {
      question: questionOf(row),
      // Where there are several, all of them make up the answer.
      gold: answers.join(","),
      ...(typeof solution === "string" ? { solution: solution.trim() } : {}),
      ...(precision === undefined ? {} : { precision }),
      ...(subject === undefined ? {} : { subject }),
    };
  },
});

function questionOf(row: Row): string {
  const context = textIn(row, "context");
  const question = textOf(row, "question").trim();
  return context === undefined ? question : `${context.trim()}\n${question}`;
}

/** Absolute tolerances, one for each answer where there are several: `1e-1`, `1e-4,1e-2`. */
function precisionOf(row: Row): string[] | undefined {
  const text = typeof row.error === "number" ? String(row.error) : textIn(row, "error");
  if (text === undefined) return undefined;
  const all = text.split(",").map((one) => one.trim());
  if (all.some((one) => !/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(one))) {
    throw new RowError(`has ${JSON.stringify(text)} as error, tolerances such as 1e-4 are needed`);
  }
  return all;
}
