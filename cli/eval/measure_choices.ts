import { createHash } from "node:crypto";
import type { ChoiceRecord, ChoiceResult } from "../../eval/choices/choice_result.ts";
import type { ChoiceTask } from "../../eval/choices/choice_task.ts";
import { evaluateChoices } from "../../eval/choices/evaluate_choices.ts";
import type { LongPrompts } from "../../eval/questions/long_prompts.ts";
import type { RecordFile } from "../../eval/results/record_file.ts";
import type { Stream } from "../../eval/task.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import type { Facts } from "../facts/facts.ts";
import { counted } from "../terminal/counted.ts";
import { Interrupted } from "../terminal/interrupt.ts";
import { createProgress } from "../terminal/progress.ts";

/** What is asked of a choice task, beside the model. */
interface ChoiceRun {
  split: Stream;
  /** Questions to use, from the first. */
  limit?: number;
  /** Examples before each question. */
  shots: number;
  /** What becomes of questions that are too long for the model's context. */
  longPrompts: LongPrompts;
  /** Where every question's scores go, and what an interrupted evaluation left there. */
  records?: RecordFile<ChoiceRecord>;
  quiet: boolean;
  signal: AbortSignal;
}

/** What was measured, and on what: enough to do it again. */
export interface ChoiceReport extends Facts, Omit<ChoiceResult, "records"> {
  task: { name: string; version: number; promptHash: string };
  /** Where the questions were read from. */
  data?: string;
  split: Stream;
  /** Fewer questions than the split holds: not to be compared with full results. */
  limited: boolean;
  shots: number;
  /** Question by question, for paired comparisons. */
  answers: { id: string; correct: boolean; correctNormed: boolean; nll: number }[];
}

/** Scores a choice task on a model, with progress, and says what it came to. */
export async function measureChoices(
  { model, tokenizer }: FoundModel,
  task: ChoiceTask,
  facts: Facts,
  run: ChoiceRun,
): Promise<ChoiceReport> {
  const { split, limit, shots, longPrompts, signal, records: file } = run;
  const total = Math.min(limit ?? Infinity, task.size(split));
  using progress = createProgress({ label: `eval ${task.name}`, total, quiet: run.quiet, unit: "questions" });
  const known = [...file?.known() ?? []];
  if (known.length > 0) {
    progress.log(`kept     ${known.length} of ${counted(total, "question")} from before`);
  }
  progress.update(0);
  try {
    const { records, ...result } = await evaluateChoices(model, tokenizer, task, {
      stream: split,
      questions: limit,
      shots,
      longPrompts,
      signal,
      known,
      onRecord: (record) => file?.append(record),
      onProgress: ({ done, accuracy }) => progress.update(done, { accuracy }),
    });
    return {
      task: { name: task.name, version: task.version, promptHash: promptHash(task, split, total, shots) },
      ...facts,
      ...(task.data ? { data: task.data.origin } : {}),
      split,
      limited: total < task.size(split),
      shots,
      ...result,
      answers: records.map(({ id, correct, correctNormed, nll }) => ({ id, correct, correctNormed, nll })),
    };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Interrupted(
      file
        ? `Stopped; the questions so far are in ${file.path}: the same command goes on.`
        : "Stopped; nothing was kept.",
    );
  }
}

/** What decides a choice task's results: an evaluation that is gone on with has to agree in it. */
export function choiceSettings(
  task: ChoiceTask,
  { split, limit, shots, longPrompts }: Pick<ChoiceRun, "split" | "limit" | "shots" | "longPrompts">,
): Record<string, unknown> {
  const questions = Math.min(limit ?? Infinity, task.size(split));
  return {
    version: task.version,
    promptHash: promptHash(task, split, questions, shots),
    split,
    questions,
    shots,
    ...(longPrompts === "truncate" ? {} : { longPrompts }),
  };
}

/** Of all texts that the model was given: prompts, examples, questions and choices. */
function promptHash(task: ChoiceTask, split: Stream, questions: number, shots: number): string {
  const hash = createHash("sha256");
  for (let index = 0; index < questions; index++) {
    const { context, choices } = task.question(split, index, shots);
    hash.update([context, ...choices].join("\0") + "\0\0");
  }
  return hash.digest("hex");
}
