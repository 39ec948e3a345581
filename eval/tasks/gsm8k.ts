import { textOf } from "../data/row_fields.ts";
import { dataTask } from "./data_task.ts";

const source = {
  hub: "openai/gsm8k",
  licence: "MIT",
  splits: {
    train: ["main/train-*.parquet", "train.jsonl", "train.parquet", "train-*.parquet"],
    test: ["main/test-*.parquet", "test.jsonl", "test.parquet", "test-*.parquet"],
  },
};

/** Grade-school word problems whose answers are integers (Cobbe et al., 2021). */
export const gsm8k = dataTask({
  name: "gsm8k",
  version: 1,
  about: "Grade-school word problems; the answers are integers",
  source,
  limits: { maxThinking: 128, maxThinkingEval: 512, answerTokens: 32 },
  checking: { percent: true },
  read(row) {
    const question = textOf(row, "question").trim();
    const [steps, gold] = goldAfterMark(textOf(row, "answer"));
    if (gold === "") return { drop: "no answer after ####" };
    return { question, gold, solution: withoutCalculator(steps) };
  },
});

/** The steps, and the answer behind the last `####`, an integer without thousands commas. */
function goldAfterMark(answer: string): [steps: string, gold: string] {
  const at = answer.lastIndexOf("####");
  if (at < 0) return [answer, ""];
  const gold = answer.slice(at + 4).trim();
  return [answer.slice(0, at).trim(), /^-?\d{1,3}(,\d{3})+$/.test(gold) ? gold.replaceAll(",", "") : gold];
}

/** The notes of the form `<<48/2=24>>` are for a calculator that no model here has. */
function withoutCalculator(steps: string): string {
  return steps.replace(/<<[^<>]*>>/g, "");
}
