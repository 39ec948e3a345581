import { UserError } from "../gpu/errors.ts";
import type { Filters } from "../gpu/ops/filter.ts";
import { thinkingRules } from "../model/generation/thinking_text.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { Model } from "../model/transformer.ts";
import { takeQuestions } from "./dataset.ts";
import type { Grader } from "./grader.ts";
import { type ModeResult, modeTally } from "./mode_result.ts";
import { inferenceMode, type Mode } from "./modes.ts";
import { promptOf, type PromptOptions } from "./prompt_ids.ts";
import { type ModeRun, MOST_SAMPLES, rollOutMode, takeKnown } from "./roll_out_mode.ts";
import type { RolloutRecord } from "./rollout_record.ts";
import type { Stream, Task } from "./task.ts";

export type { ModeResult } from "./mode_result.ts";
export { EVALUATION_STEP, MOST_SAMPLES } from "./roll_out_mode.ts";

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
  /** How questions are put; in plain text where it is left out. */
  prompt?: PromptOptions;
  /** Tokens that hard-sample may draw; all where it is left out. */
  filters?: Filters;
  /** Rollouts generated at once; fewer where memory asks for it. Changes no result. */
  batchRows?: number;
  /** Judges the answers; in this thread where it is left out. */
  grader?: Grader;
  /** Rollouts of a mode that an interrupted evaluation left: they are not generated again. */
  known?: (mode: Mode) => Iterable<RolloutRecord>;
  /** Called after each rollout. */
  onProgress?: (progress: EvaluationProgress) => void;
  /** Called with each rollout as it ends; not with known ones. */
  onRollout?: (record: RolloutRecord) => void;
  /** Called when a mode is complete. */
  onMode?: (result: ModeResult) => void;
  /** Stops where rollouts may leave: every few positions. Those that have ended are still graded. */
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

/**
 * Runs a model on a task's questions in each mode (method section 6). Draws are keyed by the seed, the question's place
 * among the different questions of its split, and the sample: whatever runs at once, how many questions are taken, and
 * what was done before an interruption, sample s of question q is the same.
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
  if (questions.length === 0) {
    throw new UserError(
      `Cannot evaluate ${task.name}: there is no ${stream} question, at least one is needed`,
    );
  }
  const prompts = questions.map(({ question }) => promptOf(tokenizer, task, question, options.prompt).ids);
  const rules = thinkingRules(tokenizer, {
    maxThinking: options.maxThinking ?? task.limits.maxThinkingEval,
    maxAnswer: options.answerTokens ?? task.limits.answerTokens,
    endTokenIds: model.config.eosTokenIds,
  });
  const modes = options.modes.map((name) => inferenceMode(name, gamma, embeddingRms, options.filters));
  const total = modes.reduce((sum, { greedy }) => sum + questions.length * (greedy ? 1 : samples), 0);
  const results: ModeResult[] = [];
  let before = 0;
  for (const mode of modes) {
    const tally = modeTally(mode, questions);
    const onProgress = () =>
      options.onProgress?.({
        mode: mode.name,
        done: before + tally.count,
        total,
        accuracy: tally.accuracy(),
      });
    const run: ModeRun = {
      model,
      tokenizer,
      task,
      options,
      questions,
      prompts,
      rules,
      mode,
      tally,
      onProgress,
    };
    takeKnown(run);
    await rollOutMode(run);
    before += tally.count;
    results.push(tally.result());
    options.onMode?.(results.at(-1)!);
  }
  return results;
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
