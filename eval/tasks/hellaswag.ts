import { pythonStrip } from "../choices/python_strip.ts";
import { textOf, textsOf } from "../data/row_fields.ts";
import { choiceDataTask } from "./choice_data_task.ts";

/**
 * HellaSwag (Zellers et al., 2019): which of four endings goes on from a beginning. The answers of its test split are not
 * public, so that its validation split is what everyone reports: the stream `test` here.
 */
export const hellaswag = choiceDataTask({
  name: "hellaswag",
  version: 1,
  about: "Four endings of an everyday scene (the validation split, whose answers are public)",
  source: {
    hub: "Rowan/hellaswag",
    licence: "MIT",
    splits: {
      test: ["data/validation-*.parquet", "validation-*.parquet", "val*.jsonl", "hellaswag_val.jsonl"],
    },
  },
  read(row) {
    const label = textOf(row, "label");
    if (label === "") return { drop: "no right answer" };
    const scene = `${textOf(row, "ctx_a")} ${capitalised(textOf(row, "ctx_b"))}`;
    return {
      question: cleaned(`${textOf(row, "activity_label")}: ${scene}`),
      choices: textsOf(row, "endings").map(cleaned),
      right: /^\d+$/.test(label) ? Number(label) : -1,
    };
  },
  prompt: ({ question, choices }) => ({ context: question, choices }),
});

/** Takes out what WikiHow's layout left behind; the order of the steps is that of lm-evaluation-harness. */
function cleaned(text: string): string {
  return pythonStrip(text).replaceAll(" [title]", ". ").replace(/\[[^\n]*?\]/g, "").replaceAll("  ", " ");
}

/** As Python's str.capitalize(): the first letter large, all others small. */
function capitalised(text: string): string {
  const [first = ""] = text;
  const large = [...first.toUpperCase()];
  return (large[0] ?? "") + large.slice(1).join("").toLowerCase() + text.slice(first.length).toLowerCase();
}
