import { isGreedy, type Mode, samplesIn } from "../../eval/modes.ts";
import { type PreparedQuestions, prepareQuestions } from "../../eval/questions/prepare_questions.ts";
import type { LongPrompts } from "../../eval/questions/long_prompts.ts";
import { plainPrompt, promptOf, type PromptOptions, promptOptions } from "../../eval/questions/prompt_ids.ts";
import { shotsOf } from "../../eval/questions/shots.ts";
import type { Task } from "../../eval/task.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { sha256OfText } from "../../model/files/sha256_of.ts";
import { shapeOfJobs, slotsFor } from "../../model/generation/plan_slots.ts";
import type { Facts } from "../facts/facts.ts";
import { ENDLESS } from "../settings/flags.ts";
import { counted } from "../terminal/counted.ts";
import type { Asked, EvaluationReport } from "./evaluation_report.ts";
import { runOverlap } from "./run_overlap.ts";

/** What is asked of a task that is answered in text. */
interface GenerationRun extends Asked {
  /** Tasks as the command line names them. */
  named: readonly string[];
  model: string;
  adapter?: string;
  limit?: number;
  modes: readonly Mode[];
  batchRows: number;
  longPrompts: LongPrompts;
  keepMixtures: number;
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
  const { filters, longPrompts } = run;
  const size = task.size(split);
  const prompt = promptOptions(tokenizer, {
    chatTemplate,
    system,
    shots: shotsOf(task, shots, seed, split),
  });
  const prepared = await prepareQuestions(model, tokenizer, task, {
    ...{ stream: split, seed, maxThinking, answerTokens, prompt, longPrompts },
    questions: Math.min(limit ?? size ?? ENDLESS, size ?? Infinity),
  });
  const { questions: asked, long } = prepared;
  if (long > 0) {
    const what = longPrompts === "skip" ? "left out" : "cut in their middle";
    warn(
      `warning: ${long} prompts of ${task.name} are longer than the model's context leaves room for: ${what}`,
    );
  }
  // The embedded vocabulary has no word for the placeholder: only a template's text needs a tokenizer.
  const shape = prompt.chat
    ? (await promptOf(tokenizer, task, "QUESTION", prompt)).text
    : await plainPrompt(task, "QUESTION", prompt.shots);
  const texts = asked.map(({ question }) => question);
  const trainedOn = await runOverlap(run.adapter ?? run.model, texts, run.named);
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
    ...(longPrompts === "refuse" ? {} : { longPrompts: { how: longPrompts, prompts: long } }),
    limited: limit !== undefined &&
      asked.length + (longPrompts === "skip" ? long : 0) < (size ?? ENDLESS),
    ...{ samples, seed, gamma, maxThinking, answerTokens, shots, chatTemplate },
    ...(system === undefined ? {} : { system }),
    ...(run.tau === undefined ? {} : { tau: run.tau }),
    filters,
    ...(run.mixing ? { mixing: run.mixing } : {}),
    trainedOn,
  };
  return { task, run, prompt, prepared, about };
}

/** What will be done, in a line: questions, modes, limits, and how many rollouts at once. */
export function describePlan({ model }: FoundModel, { task, run, prepared, about }: GenerationPlan): string {
  const { modes, split, samples, batchRows, maxThinking, answerTokens } = run;
  const most = Math.max(...modes.map((mode) => samplesIn(mode, samples)));
  const jobs = prepared.prompts.map((prompt) => ({ prompt, rolloutIds: Array<number>(most) }));
  const shape = shapeOfJobs(model, jobs, { rules: prepared.rules });
  const atOnce = slotsFor(model, jobs, shape, batchRows);
  const asked = `${counted(about.questions, `${split} question`)} in ${counted(modes.length, "mode")}`;
  return `${task.name}: ${asked}${
    most > 1 ? `, ${most} samples` : ""
  }, at most ${maxThinking} thinking and ` +
    `${answerTokens} answer tokens; ${counted(atOnce, "rollout")} at once`;
}

/** What of a plan decides its results: an evaluation that is gone on with has to agree in it. */
export function settingsOf({ about, run }: GenerationPlan): Record<string, unknown> {
  const { task: { name: _, ...task }, split, questions, samples, seed, gamma } = about;
  const { maxThinking, answerTokens } = about;
  const { shots, chatTemplate, modes, filters, mixing, keepMixtures } = run;
  const isSampled = modes.some((mode) => !isGreedy(mode));
  return {
    ...{ ...task, split, questions, modes, seed, maxThinking, answerTokens, shots, chatTemplate, filters },
    ...(run.longPrompts === "refuse" ? {} : { longPrompts: run.longPrompts }),
    ...(isSampled ? { samples, gamma } : {}),
    ...(mixing ? { mixing } : {}),
    ...(keepMixtures > 0 ? { keepMixtures } : {}),
    ...(run.tau === undefined ? {} : { tau: run.tau }),
  };
}
