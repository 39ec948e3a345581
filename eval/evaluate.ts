import { UserError } from "../gpu/errors.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { Model } from "../model/transformer/transformer.ts";
import { type EvaluateOptions, MOST_SAMPLES } from "./evaluate_options.ts";
import { type ModeResult, modeTally } from "./measures/mode_result.ts";
import { inferenceMode, samplesIn } from "./modes.ts";
import { prepareQuestions } from "./questions/prepare_questions.ts";
import { type ModeRun, rollOutMode, takeKnown } from "./roll_out_mode.ts";
import type { Task } from "./task.ts";
import { createTokenForecast } from "./token_forecast.ts";

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
  const { samples, gamma, embeddingRms } = options;
  const prepared = options.prepared ?? await prepareQuestions(model, tokenizer, task, options);
  const { questions, rules } = prepared;
  const modes = options.modes.map((name) =>
    inferenceMode(name, gamma, embeddingRms, options.filters, options.mixing, options.tau)
  );
  const total = modes.reduce((sum, { name }) => sum + questions.length * samplesIn(name, samples), 0);
  const forecast = createTokenForecast(rules.maxThinking + rules.maxAnswer);
  const results: ModeResult[] = [];
  let before = 0;
  for (const mode of modes) {
    const tally = modeTally(mode, questions);
    const onProgress = () => {
      const done = before + tally.count;
      options.onProgress?.({
        mode: mode.name,
        done,
        total,
        accuracy: tally.count === 0 ? null : tally.accuracy(),
        ended: tally.count,
        tokens: forecast.tokens,
        tokensLeft: forecast.left(total - done),
      });
    };
    const run: ModeRun = {
      ...{ model, tokenizer, task, options, ...prepared, mode, tally, forecast, onProgress },
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
