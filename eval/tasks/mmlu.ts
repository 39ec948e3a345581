import { pythonStrip } from "../choices/python_strip.ts";
import type { Row } from "../data/row.ts";
import { RowError, textOf, textsOf } from "../data/row_fields.ts";
import { choiceDataTask, type ChoiceItem } from "./choice_data_task.ts";
import { MMLU_CATEGORIES } from "./mmlu_categories.ts";

const LETTERS = ["A", "B", "C", "D"];

/**
 * MMLU (Hendrycks et al., 2021): questions of 57 subjects with four answers. What is scored are the letters. Repeated
 * questions (105 in test) count each time, as they do everywhere.
 */
export const mmlu = choiceDataTask({
  name: "mmlu",
  version: 1,
  about: "Questions of 57 subjects in four categories",
  source: {
    hub: "cais/mmlu",
    licence: "MIT",
    splits: {
      dev: split("dev", "dev"),
      validation: split("validation", "val"),
      test: split("test", "test"),
    },
  },
  columns: ["question", ...LETTERS, "answer"],
  read(row, file) {
    const question = textOf(row, "question");
    const answer = textOf(row, "answer");
    if (answer === "") return { drop: "no right answer" };
    const item = { question, right: LETTERS.includes(answer) ? LETTERS.indexOf(answer) : indexOf(answer) };
    if (row.choices !== undefined) {
      return { ...item, choices: fourOf(textsOf(row, "choices")), subject: textOf(row, "subject") };
    }
    return {
      ...item,
      question: withoutReturns(question),
      choices: LETTERS.map((letter) => withoutReturns(textOf(row, letter))),
      subject: subjectOf(file, row),
    };
  },
  prompt(item, examples) {
    const about = `The following are multiple choice questions (with answers) about ${
      item.subject!.replaceAll("_", " ")
    }.\n\n`;
    const shown = examples.map((example) => `${asked(example)} ${LETTERS[example.right]}\n\n`).join("");
    return { context: about + shown + asked(item), choices: LETTERS };
  },
  categories: MMLU_CATEGORIES,
});

/** All subjects in one file or in a folder each, as on the hub; or the authors' CSV files, one a subject. */
function split(hub: string, csv: string): string[] {
  return [
    `all/${hub}-*.parquet`,
    `*/${hub}-*.parquet`,
    `${hub}-*.parquet`,
    `${hub}.jsonl`,
    `${csv}/*_${csv}.csv`,
    `*_${csv}.csv`,
  ];
}

function asked({ question, choices }: ChoiceItem): string {
  const answers = LETTERS.map((letter, i) => `${letter}. ${choices[i]}\n`).join("");
  return `${pythonStrip(question)}\n${answers}Answer:`;
}

const indexOf = (answer: string) => /^\d+$/.test(answer) ? Number(answer) : -1;

/** Some of the CSV files end their lines, and so those within cells, as on Windows. */
const withoutReturns = (cell: string) => cell.replaceAll("\r\n", "\n");

function fourOf(choices: string[]): string[] {
  if (choices.length === 4) return choices;
  throw new RowError(`has ${choices.length} choices, 4 are needed`);
}

/** `high_school_physics` of `.../high_school_physics_test.csv`. */
function subjectOf(file: string, row: Row): string {
  if (typeof row.subject === "string") return row.subject;
  return file.split("/").at(-1)!.replace(/_(dev|val|test)\.csv$/i, "");
}
