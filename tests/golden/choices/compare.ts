/**
 * Holds the scores of choice tasks against those of lm-evaluation-harness on the same weights (`smollm2.json`, made by
 * `score_choices.py`). As a program it compares all questions and prints a table:
 *
 *     deno run -A tests/golden/choices/compare.ts [--questions 100] [--task arc-challenge] [--shared ../shared]
 */
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { encodeChoices } from "../../../eval/choices/encode_choices.ts";
import type { ChoiceRecord } from "../../../eval/choices/choice_result.ts";
import type { ChoiceQuestion, ChoiceTask } from "../../../eval/choices/choice_task.ts";
import { evaluateChoices } from "../../../eval/choices/evaluate_choices.ts";
import { openAnyTask } from "../../../eval/tasks/open_task.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { findModel, type FoundModel } from "../../../model/files/find_model.ts";
import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";

/** A question as the harness scored it. */
export interface HarnessQuestion {
  right: number;
  /** Of the context and the choices, each with its leading blank. */
  prompt: string;
  /** Of all token ids, as JSON: [[context, continuation], ...]. */
  ids: string;
  /** Tokens of the context and of each choice. */
  context: number;
  tokens: number[];
  sums: number[];
  acc: number;
  acc_norm?: number;
}

/** The tasks that were compared: ours, the harness's name, the folder of the data. */
export const COMPARED = [
  ["arc-challenge", "arc_challenge", "arc_challenge"],
  ["hellaswag", "hellaswag", "hellaswag"],
  ["mmlu", "mmlu", "mmlu"],
] as const;

interface HarnessFile {
  /** Of all questions: how many, and a digest of the prompts' digests. */
  prompts: Record<string, { questions: number; digest: string }>;
  /** Of the first question of each subject of mmlu: digests of its context by the number of examples. */
  few_shot: Record<string, Record<string, string>>;
  arc_challenge: HarnessQuestion[];
  hellaswag: HarnessQuestion[];
  mmlu: HarnessQuestion[];
}

/** What the harness found. */
export const harness: HarnessFile = JSON.parse(Deno.readTextFileSync(new URL("smollm2.json", import.meta.url)));

/** Digest of texts, as in the golden file. */
export function digest(...texts: string[]): string {
  return createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 16);
}

/** A digest of a question's context and choices, each with its leading blank. */
export function promptDigest({ context, choices }: ChoiceQuestion): string {
  return digest(context, ...choices.map((choice) => ` ${choice}`));
}

/** Digests of a question's prompt and of its token ids. */
export function digestsOf(tokenizer: Tokenizer, question: ChoiceQuestion): { prompt: string; ids: string } {
  const { groups } = encodeChoices(tokenizer, question, Infinity);
  const pairs = groups.flatMap(({ context, continuations }) => continuations.map((tokens) => [context, tokens]));
  return {
    prompt: promptDigest(question),
    ids: digest(JSON.stringify(pairs)),
  };
}

/** How far a record is from the harness's numbers. */
function differenceOf(record: ChoiceRecord, theirs: HarnessQuestion) {
  const byToken = record.sums.map((sum, i) => Math.abs(sum - theirs.sums[i]) / theirs.tokens[i]);
  const first = (values: number[]) => values.indexOf(Math.max(...values));
  return {
    /** Of the sums, a token. */
    worst: Math.max(...byToken),
    /** Whether both pick the same choice, by the sum and by the sum a character. */
    samePick: first(theirs.sums) === record.pick,
    sameNormed: first(theirs.sums.map((sum, i) => sum / record.characters[i])) === record.pickNormed,
  };
}

/** The first questions of a task on a model, with the harness's. */
export async function scoreFirst(
  { model, tokenizer }: FoundModel,
  task: ChoiceTask,
  theirs: readonly HarnessQuestion[],
  questions: number,
  onProgress?: (done: number) => void,
) {
  const result = await evaluateChoices(model, tokenizer, task, {
    stream: "test",
    questions: Math.min(questions, theirs.length),
    onProgress: ({ done }) => onProgress?.(done),
  });
  return { result, differences: result.records.map((record) => differenceOf(record, theirs[record.index])) };
}

async function main() {
  const { values } = parseArgs({
    options: {
      questions: { type: "string", default: "100" },
      task: { type: "string" },
      shared: { type: "string", default: "../shared" },
    },
  });
  const gpu = await openGpu();
  const found = await findModel(gpu, `${values.shared}/models/smollm2-135m-instruct`);
  console.log("task questions rows seconds worst/token picks-differ normed-differ acc acc_norm nll");
  for (const [name, key, folder] of COMPARED) {
    if (values.task !== undefined && values.task !== name) continue;
    const task = await openAnyTask(name, { data: `${values.shared}/data/${folder}` }) as ChoiceTask;
    const { result, differences } = await scoreFirst(found, task, harness[key], Number(values.questions), (done) => {
      console.error(`${name} ${done}`);
    });
    const count = (of: (one: typeof differences[number]) => boolean) => differences.filter(of).length;
    const { records, rows, seconds, accuracy, accuracyNormed, nll } = result;
    console.log(
      name,
      records.length,
      rows,
      seconds.toFixed(0),
      Math.max(...differences.map(({ worst }) => worst)).toExponential(2),
      count(({ samePick }) => !samePick),
      count(({ sameNormed }) => !sameNormed),
      ...[accuracy, accuracyNormed, nll].map(({ value, standardError }) =>
        `${value.toFixed(4)}±${standardError.toFixed(4)}`
      ),
    );
  }
  gpu.close();
}

if (import.meta.main) await main();
