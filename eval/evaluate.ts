import { UserError } from "../gpu/errors.ts";
import { rolloutFlops } from "../model/flops.ts";
import { checkContext, generate, type GenerateRequest, rowsOfRollout } from "../model/generate.ts";
import { rolloutsThatFit } from "../model/memory.ts";
import { thinkingRules } from "../model/thinking_text.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { Model } from "../model/transformer.ts";
import { takeQuestions } from "./dataset.ts";
import { type ModeResult, modeTally } from "./mode_result.ts";
import { inferenceMode, type Mode } from "./modes.ts";
import { promptIds } from "./prompt_ids.ts";
import { gradeRollout, type RolloutRecord } from "./rollout_record.ts";
import type { Question, Stream, Task } from "./task.ts";

export type { ModeResult } from "./mode_result.ts";

/** What is measured, and how. Limits that are left out are the task's own. */
export interface EvaluateOptions {
  /** Ways to run the thinking, in the order of the results. */
  modes: readonly Mode[];
  /** RMS(E) of the base model: the unit of gamma. */
  embeddingRms: number;
  /** Noise of the sampling continuous modes, in units of RMS(E). */
  gamma: number;
  /** Where the questions come from. */
  stream: Stream;
  /** Of the questions' order and of all draws. */
  seed: number;
  /** How many questions; a stream that holds fewer gives all it has. */
  questions: number;
  /** Samples of each question; greedy modes take one. At most {@link MOST_SAMPLES}. */
  samples: number;
  /** L. */
  maxThinking?: number;
  /** Most answer tokens. */
  answerTokens?: number;
  /** Rollouts generated at once; fewer where memory asks for it. Changes no result. */
  batchRows?: number;
  /** Called after each batch. */
  onProgress?: (progress: EvaluationProgress) => void;
  /** Called with each rollout, in the order of questions and samples. */
  onRollout?: (record: RolloutRecord) => void;
  /** Stops between batches. */
  signal?: AbortSignal;
}

/** How far an evaluation is. */
export interface EvaluationProgress {
  /** The one at work. */
  mode: Mode;
  /** Rollouts done, over all modes. */
  done: number;
  /** Rollouts wanted, over all modes. */
  total: number;
  /** Right so far in this mode, 0 to 1. */
  accuracy: number;
}

/** Samples of one question that have random numbers of their own. */
export const MOST_SAMPLES = 4096;

/** The draws' step: no training step comes near it, so evaluation repeats none of training's numbers. */
export const EVALUATION_STEP = 0xffffffff;

const BATCH_ROWS = 256;

/**
 * Runs a model on a task's questions in each mode (method section 6). Draws are keyed by seed, question and sample:
 * the same whatever the batches are, and sample s of question q the same however many are taken.
 * @throws UserError if a number is out of range or the text would exceed the model's context
 */
export async function evaluate(
  model: Model,
  tokenizer: Tokenizer,
  task: Task,
  options: EvaluateOptions,
): Promise<ModeResult[]> {
  checkOptions(options);
  const { stream, seed, samples, gamma, embeddingRms } = options;
  const questions = takeQuestions(task, stream, seed, options.questions);
  const prompts = questions.map(({ question }) => promptIds(tokenizer, task.prompt(question)));
  const modes = options.modes.map((name) => inferenceMode(name, gamma, embeddingRms));
  const total = modes.reduce((sum, { greedy }) => sum + questions.length * (greedy ? 1 : samples), 0);
  const results: ModeResult[] = [];
  let done = 0;
  for (const mode of modes) {
    const tally = modeTally(mode, questions);
    const run = { model, tokenizer, task, options, questions, prompts, mode, tally };
    for await (const count of rollOut(run)) {
      done += count;
      options.onProgress?.({ mode: mode.name, done, total, accuracy: tally.accuracy() });
    }
    results.push(tally.result());
  }
  return results;
}

interface ModeRun {
  model: Model;
  tokenizer: Tokenizer;
  task: Task;
  options: EvaluateOptions;
  questions: readonly Question[];
  prompts: readonly (readonly number[])[];
  mode: ReturnType<typeof inferenceMode>;
  tally: ReturnType<typeof modeTally>;
}

/** Generates and grades all rollouts of a mode; yields the size of each batch. */
async function* rollOut(run: ModeRun): AsyncGenerator<number> {
  const { model, tokenizer, task, options, questions, prompts, mode, tally } = run;
  const { gpu, config } = model;
  const rules = thinkingRules(tokenizer, {
    maxThinking: options.maxThinking ?? task.limits.maxThinkingEval,
    maxAnswer: options.answerTokens ?? task.limits.answerTokens,
    endTokenIds: config.eosTokenIds,
  });
  const samples = mode.greedy ? 1 : options.samples;
  const own = rowsOfRollout(rules);
  const prompt = Math.max(...prompts.map((ids) => ids.length));
  checkContext(model, prompt, own);
  const { continuous } = mode.thinking;
  const fitting = rolloutsThatFit(gpu, config, { prompt, group: samples, own, continuous });
  for (
    const batch of batchesOf(prompts.length, samples, Math.min(options.batchRows ?? BATCH_ROWS, fitting))
  ) {
    options.signal?.throwIfAborted();
    const started = performance.now();
    const request: GenerateRequest = {
      prompts: batch.questions.map((index) => prompts[index]),
      group: batch.group,
      thinking: mode.thinking,
      rules,
      answerTau: 0,
      rolloutIds: batch.questions.flatMap((index) =>
        Array.from({ length: batch.group }, (_, g) => index * MOST_SAMPLES + batch.firstSample + g)
      ),
      seed: options.seed,
      step: EVALUATION_STEP,
    };
    using scratch = gpu.arena.scratch();
    const { rollouts } = await generate(model, tokenizer, request, scratch);
    tally.addSeconds((performance.now() - started) / 1000);
    rollouts.forEach((rollout, slot) => {
      const index = batch.questions[rollout.prompt];
      const sample = batch.firstSample + slot % batch.group;
      const record = gradeRollout(task, tokenizer, rules, mode.name, questions[index], sample, rollout);
      const lengths = {
        prompt: prompts[index].length,
        shared: batch.group,
        thinking: rollout.thinking.length,
        forced: rollout.forced.length,
        answer: rollout.answer.length,
      };
      tally.add(index, record, rollout, rolloutFlops(config, lengths, continuous));
      options.onRollout?.(record);
    });
    yield rollouts.length;
  }
}

interface Batch {
  /** Indices of the questions. */
  questions: number[];
  /** Samples of each. */
  group: number;
  firstSample: number;
}

/** All samples of all questions in batches of at most `rows` rollouts, a question's samples together where they fit. */
function batchesOf(questions: number, samples: number, rows: number): Batch[] {
  const indices = Array.from({ length: questions }, (_, i) => i);
  const batches: Batch[] = [];
  if (samples > rows) {
    for (const index of indices) {
      for (let firstSample = 0; firstSample < samples; firstSample += rows) {
        batches.push({ questions: [index], group: Math.min(rows, samples - firstSample), firstSample });
      }
    }
    return batches;
  }
  const each = Math.floor(rows / samples);
  for (let at = 0; at < questions; at += each) {
    batches.push({ questions: indices.slice(at, at + each), group: samples, firstSample: 0 });
  }
  return batches;
}

function checkOptions({ modes, samples, questions, batchRows = 1, gamma }: EvaluateOptions): void {
  const isCount = (value: number, most: number) => Number.isInteger(value) && value >= 1 && value <= most;
  if (modes.length === 0) throw new UserError("Cannot evaluate: no mode is given, at least one is needed");
  if (!isCount(samples, MOST_SAMPLES)) {
    throw new UserError(`Cannot take ${samples} samples a question: 1 to ${MOST_SAMPLES} are possible`);
  }
  if (!isCount(questions, 2 ** 20)) {
    throw new UserError(`Cannot evaluate on ${questions} questions: 1 to ${2 ** 20} are possible`);
  }
  if (!isCount(batchRows, 2 ** 20)) {
    throw new UserError(`Cannot generate ${batchRows} rollouts at once: a whole number from 1 on is needed`);
  }
  if (!(gamma >= 0)) throw new UserError(`Cannot think with gamma ${gamma}: a number from 0 on is needed`);
}
