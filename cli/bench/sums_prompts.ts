import { promptIds } from "../../eval/questions/prompt_ids.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { sumsPrompt } from "../../eval/tasks/sums_problem.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";

/** Ids of the prompts of the embedded task's training questions, from the first or that of index `from` on. */
export const sumsPrompts = (tokenizer: Tokenizer, questions: number, from = 0): number[][] =>
  Array.from(
    { length: questions },
    (_, b) => promptIds(tokenizer, sumsPrompt(sums.question("train", 0, from + b).question)),
  );
