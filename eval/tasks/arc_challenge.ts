import type { Row } from "../data/row.ts";
import { RowError, textOf, textsOf } from "../data/row_fields.ts";
import { choiceDataTask } from "./choice_data_task.ts";

/**
 * The Challenge set of AI2's Reasoning Challenge (Clark et al., 2018): science questions with 3 to 5 answers, labelled
 * with letters or numbers.
 */
export const arcChallenge = choiceDataTask({
  name: "arc-challenge",
  version: 1,
  about: "Science questions that neither retrieval nor co-occurrence answers",
  source: {
    hub: "allenai/ai2_arc",
    licence: "CC BY-SA 4.0",
    folders: ["arc-challenge", "arc_challenge"],
    splits: {
      validation: [
        "ARC-Challenge/validation-*.parquet",
        "validation.jsonl",
        "validation-*.parquet",
      ],
      test: ["ARC-Challenge/test-*.parquet", "test.jsonl", "test-*.parquet", "test.parquet"],
    },
  },
  read(row) {
    const choices = row.choices;
    if (typeof choices !== "object" || choices === null || Array.isArray(choices)) {
      throw new RowError("has no object as choices, one with the lists text and label is needed");
    }
    const texts = textsOf(choices, "text");
    return {
      question: textOf(row, "question"),
      choices: texts,
      right: indexOf(choices, textOf(row, "answerKey")),
    };
  },
  prompt: ({ question, choices }) => ({ context: `Question: ${question}\nAnswer:`, choices }),
});

function indexOf(choices: Row, key: string): number {
  const labels = Array.isArray(choices.label) ? choices.label.map(String) : textsOf(choices, "label");
  return labels.indexOf(key);
}
