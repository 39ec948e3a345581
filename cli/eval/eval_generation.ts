import { evaluate } from "../../eval/evaluate.ts";
import { createGrader } from "../../eval/grader.ts";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { inferenceMode, type Mode } from "../../eval/modes.ts";
import { type PreparedQuestions, prepareQuestions } from "../../eval/questions/prepare_questions.ts";
import { plainPrompt, promptOf, type PromptOptions, promptOptions } from "../../eval/questions/prompt_ids.ts";
import type { RecordFile } from "../../eval/results/record_file.ts";
import type { ResultsFolder } from "../../eval/results/results_folder.ts";
import type { RolloutRecord } from "../../eval/results/rollout_record.ts";
import { shotsOf } from "../../eval/questions/shots.ts";
import type { Stream, Task, TaskData } from "../../eval/task.ts";
import type { Filters } from "../../gpu/ops/choose/filter.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { rolloutsAtOnce, shapeOfJobs } from "../../model/generation/rollouts_at_once.ts";
import { Interrupted } from "../terminal/errors.ts";
import type { Facts } from "../loading/facts.ts";
import { ENDLESS } from "../settings/flags.ts";
import { watchEvaluation } from "../terminal/evaluation_progress.ts";
import { type Overlap, overlapOf } from "./trained_on.ts";
import { sha256OfText } from "../../model/files/sha256_of.ts";

/** What is asked of a task that is answered in text. */
export interface GenerationRun {
  model: string;
  adapter?: string;
  split: Stream;
  limit?: number;
  modes: readonly Mode[];
  /** Tokens that hard-sample may draw. */
  filters: Filters;
  samples: number;
  gamma: number;
  maxThinking: number;
  answerTokens: number;
  shots: number;
  chatTemplate: boolean;
  system?: string;
  batchRows: number;
  seed: number;
}

/** What was measured, and on what: enough to do it again. */
export interface EvaluationReport extends Facts {
  task: { name: string; version: number; promptHash: string; questionsHash: string };
  /** Where the questions were read from, and what was left out; absent where they are made up. */
  data?: TaskData;
  split: Stream;
  questions: number;
  /** Fewer questions than the split holds: not to be compared with full results. */
  limited: boolean;
  samples: number;
  seed: number;
  gamma: number;
  maxThinking: number;
  answerTokens: number;
  /** Solved examples before each question. */
  shots: number;
  /** The model's chat template stood for the plain prompt. */
  chatTemplate: boolean;
  system?: string;
  /** Tokens that hard-sample could draw; empty: all. */
  filters: Filters;
  /** What the model's run was trained on; null if it is no run's. */
  trainedOn: Overlap | null;
  modes: ModeResult[];
}

/** A task made ready: what is asked, and how. */
export interface GenerationPlan {
  task: Task;
  run: GenerationRun;
  prompt: PromptOptions;
  prepared: PreparedQuestions;
  /** All of the report that is known before anything is generated. */
  about: Omit<EvaluationReport, "modes">;
}

/**
 * Makes a task ready, so that what cannot be asked is known before the first token, and warns where the model was
 * trained on its questions.
 *
 * @param warn is told in one line
 * @throws UserError if questions, examples or chat template are missing, or a question is too long
 */
export async function planGeneration(
  { model, tokenizer }: FoundModel,
  task: Task,
  facts: Facts,
  run: GenerationRun,
  warn: (line: string) => void,
): Promise<GenerationPlan> {
  const { split, limit, seed, samples, gamma, maxThinking, answerTokens, shots, chatTemplate, system } = run;
  const { filters } = run;
  const size = task.size(split);
  const prompt = promptOptions(tokenizer, {
    chatTemplate,
    system,
    shots: shotsOf(task, shots, seed, split),
  });
  const prepared = prepareQuestions(model, tokenizer, task, {
    ...{ stream: split, seed, maxThinking, answerTokens, prompt },
    questions: Math.min(limit ?? size ?? ENDLESS, size ?? Infinity),
  });
  const asked = prepared.questions;
  // The embedded vocabulary has no word for the placeholder: only a template's text needs a tokenizer.
  const shape = prompt.chat
    ? promptOf(tokenizer, task, "QUESTION", prompt).text
    : plainPrompt(task, "QUESTION", prompt.shots);
  const trainedOn = await overlapOf(run.adapter ?? run.model, asked.map(({ question }) => question));
  if (trainedOn?.questions) {
    warn(
      `warning: ${trainedOn.questions} of these ${asked.length} questions of ${task.name} are among those that ` +
        `${run.adapter ?? run.model} was trained on (${trainedOn.task}): its results here are no test`,
    );
  }
  const { name, version, data } = task;
  const about = {
    task: {
      name,
      version,
      promptHash: sha256OfText(shape),
      questionsHash: sha256OfText(JSON.stringify(asked.map(({ id, gold }) => [id, gold]))),
    },
    ...facts,
    ...(data ? { data } : {}),
    split,
    questions: asked.length,
    limited: limit !== undefined && asked.length < (size ?? ENDLESS),
    ...{ samples, seed, gamma, maxThinking, answerTokens, shots, chatTemplate },
    ...(system === undefined ? {} : { system }),
    filters,
    trainedOn,
  };
  return { task, run, prompt, prepared, about };
}

/** What will be done, in a line: questions, modes, limits, and how many rollouts at once. */
export function describePlan({ model }: FoundModel, { task, run, prepared, about }: GenerationPlan): string {
  const { modes, split, samples, batchRows, maxThinking, answerTokens } = run;
  const most = Math.max(...modes.map((mode) => samplesOf(mode, samples)));
  const jobs = prepared.prompts.map((prompt) => ({ prompt, rolloutIds: Array<number>(most) }));
  const { thinking } = inferenceMode(modes[0], 0, 1);
  const atOnce = rolloutsAtOnce(
    model,
    jobs,
    shapeOfJobs(model, jobs, { rules: prepared.rules, thinking }),
    batchRows,
  );
  const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? "" : "s"}`;
  return `${task.name}: ${counted(about.questions, `${split} question`)} in ${
    counted(modes.length, "mode")
  }` +
    (most > 1 ? `, ${most} samples` : "") + `, at most ${maxThinking} thinking and ${answerTokens} answer ` +
    `tokens; ${counted(atOnce, "rollout")} at once`;
}

const samplesOf = (mode: Mode, samples: number): number => mode.endsWith("greedy") ? 1 : samples;

/** What of a plan decides its results, by name: an evaluation that is gone on with has to agree in it. */
export function settingsOf({ about, run }: GenerationPlan): Record<string, unknown> {
  const { task: { name, ...task }, split, questions, samples, seed, gamma, maxThinking, answerTokens } =
    about;
  const { shots, chatTemplate, modes, filters } = run;
  const isSampled = modes.some((mode) => mode.endsWith("sample"));
  const settings = {
    ...{ ...task, split, questions, modes, seed, maxThinking, answerTokens, shots, chatTemplate, filters },
    ...(isSampled ? { samples, gamma } : {}),
  };
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${name} ${key}`, value]));
}

/**
 * Runs a plan in all its modes, with progress; with a folder of results it goes on with what is there.
 *
 * @throws Interrupted if the signal is aborted, saying what is kept
 */
export async function measureGeneration(
  { model, tokenizer, embeddingRms }: FoundModel,
  { task, run, prompt, prepared, about }: GenerationPlan,
  results: ResultsFolder | undefined,
  signal: AbortSignal,
  quiet: boolean,
): Promise<EvaluationReport> {
  const { modes, split, samples } = run;
  const { questions } = about;
  const total = modes.reduce((sum, mode) => sum + questions * samplesOf(mode, samples), 0);
  using open = new DisposableStack();
  const files = new Map<Mode, RecordFile<RolloutRecord>>();
  for (const mode of results ? modes : []) {
    files.set(mode, open.use(results!.records<RolloutRecord>(`${task.name}-${mode}`)));
  }
  using grader = createGrader(task);
  using progress = watchEvaluation(`eval ${task.name}`, total, quiet);
  let kept = 0;
  try {
    const measured = await evaluate(model, tokenizer, task, {
      ...run,
      ...{ questions, prompt, prepared, grader, signal, embeddingRms },
      stream: split,
      known: (mode) => files.get(mode)?.known() ?? [],
      onRollout: (record) => files.get(record.mode)?.append(record),
      onMode: ({ mode }) => files.get(mode)?.sort(({ index, sample }) => index * 2 ** 20 + sample),
      onProgress(state) {
        kept = state.done;
        progress.update(state);
      },
    });
    return { ...about, modes: measured };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Interrupted(
      results
        ? `Stopped; ${kept} of ${total} rollouts of ${task.name} are kept in ${results.path}: the same command goes on.`
        : "Stopped; nothing was kept.",
    );
  }
}
