import { UserError } from "../gpu/errors.ts";
import { roomForFed } from "../model/generation/generate.ts";
import { lookBack } from "../model/generation/look_back.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { generateJobs } from "../model/generation/generate_jobs.ts";
import type { GenerationJob, Rollout } from "../model/generation/rollout.ts";
import { generatedText, type ThinkingRules } from "../model/generation/thinking_text.ts";
import { mixesVocabulary } from "../model/thinking/thinking.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { rolloutFlops } from "../model/transformer/flops.ts";
import type { Model } from "../model/transformer/transformer.ts";
import { AT_ONCE, type EvaluateOptions, EVALUATION_STEP, MOST_SAMPLES } from "./evaluate_options.ts";
import { gradeInPlace } from "./grader.ts";
import type { ModeTally } from "./measures/mode_result.ts";
import { type InferenceMode, samplesIn } from "./modes.ts";
import { type KeptSteps, keptSteps, MOST_MIXED } from "./results/kept_steps.ts";
import { recordOf, type RolloutRecord } from "./results/rollout_record.ts";
import type { Question, Task } from "./task.ts";
import type { TokenForecast } from "./token_forecast.ts";

/** One mode of an evaluation on its way. */
export interface ModeRun {
  model: Model;
  tokenizer: Tokenizer;
  task: Task;
  options: EvaluateOptions;
  questions: readonly Question[];
  prompts: readonly (readonly number[])[];
  rules: ThinkingRules;
  mode: InferenceMode;
  tally: ModeTally;
  forecast: TokenForecast;
  onProgress: () => void;
}

const samplesOf = ({ mode, options }: ModeRun): number => samplesIn(mode.name, options.samples);

/**
 * Counts what an interrupted evaluation left, and tells how far the mode is before it begins.
 * @throws UserError if it is none of what is asked for
 */
export function takeKnown(run: ModeRun): void {
  const { options, mode, questions, tally } = run;
  for (const record of options.known?.(mode.name) ?? []) {
    const asked = questions[record.index];
    if (
      asked?.id !== record.id || asked.gold !== record.gold || !(record.sample < samplesOf(run)) ||
      tally.has(record.index, record.sample)
    ) {
      throw new UserError(
        `Cannot go on with the ${mode.name} rollouts that are kept: sample ${record.sample} of question ` +
          `${record.index} (${record.id}) is none that is asked for now`,
        "the data may have changed since: start again with another --out",
      );
    }
    tally.add(record.index, record, flopsOf(run, record));
    run.forecast.known(tokensOf(record));
  }
  run.onProgress();
}

/** One sample of one question. */
interface Place {
  question: number;
  sample: number;
}

/** What keys its draws. */
const numberOf = ({ question, sample }: Place): number => question * MOST_SAMPLES + sample;

/** What is still to be generated, question by question. */
function jobsOf(run: ModeRun): { jobs: GenerationJob[]; places: Place[] } {
  const jobs: GenerationJob[] = [];
  const places: Place[] = [];
  run.prompts.forEach((prompt, question) => {
    const missing = Array.from({ length: samplesOf(run) }, (_, sample) => sample)
      .filter((sample) => !run.tally.has(question, sample));
    if (missing.length === 0) return;
    jobs.push({ prompt, rolloutIds: missing.map((sample) => numberOf({ question, sample })) });
    places.push(...missing.map((sample) => ({ question, sample })));
  });
  return { jobs, places };
}

const tokensOf = ({ thinkingTokens, answerTokens }: RolloutRecord): number =>
  thinkingTokens.length + answerTokens.length;

/** Generates and grades what is missing of a mode. */
export async function rollOutMode(run: ModeRun): Promise<void> {
  const { model, tokenizer, task, options, questions, rules, mode, tally } = run;
  const { grader = gradeInPlace(task), keepMixtures = 0, run: runJobs = generateJobs } = options;
  const { jobs, places } = jobsOf(run);
  using scratch = model.gpu.arena.scratch();
  // They are the first: questions go by their numbers.
  const kept = places.filter(({ question }) => question < keepMixtures).length;
  const hidden = kept > 0 && mode.thinking.continuous
    ? roomForFed(model, { thinking: mode.thinking, rules }, kept, scratch)
    : undefined;
  const began = performance.now() - tally.seconds * 1000;
  const grading: Promise<void>[] = [];
  const failure = new AbortController();
  const grade = async (rollout: Rollout, seconds: number) => {
    const { question: index, sample } = places[rollout.index];
    const question = questions[index];
    // Recorded at once, in the turn in which the rollout ends.
    const steps = index < keepMixtures ? seeSteps(run, rollout, places[rollout.index], hidden) : undefined;
    const time = { seconds, elapsed: (performance.now() - began) / 1000 };
    const { gold, precision } = question;
    const [verdict] = await grader.grade([
      { gold, precision, continuation: generatedText(tokenizer, rollout.answer, rules) },
    ]);
    const record = recordOf(rollout, verdict, {
      ...{ tokenizer, rules, mode: mode.name, continuous: mode.thinking.continuous },
      ...{ question, index, sample, promptTokens: run.prompts[index].length, time },
      kept: await steps?.(),
    });
    tally.add(index, record, flopsOf(run, record));
    run.forecast.ended(tokensOf(record));
    options.onRollout?.(record);
    run.onProgress();
  };
  try {
    await runJobs(model, tokenizer, jobs, {
      thinking: mode.thinking,
      rules,
      answerTau: 0,
      seed: options.seed,
      step: EVALUATION_STEP,
      atOnce: options.batchRows ?? AT_ONCE,
      signal: AbortSignal.any([failure.signal, ...(options.signal ? [options.signal] : [])]),
    }, {
      onRollout(rollout, seconds) {
        const graded = grade(rollout, seconds);
        graded.catch((error) => failure.abort(error)); // such as a full disk
        grading.push(graded);
      },
      hidden,
      onStride(tokens) {
        run.forecast.generated(tokens);
        run.onProgress();
      },
    });
  } finally {
    await Promise.all(grading);
  }
}

/** What the steps of a rollout were made of, made once more; nothing of tokens, which tell it themselves. */
function seeSteps(
  { model, mode: { thinking }, options: { seed }, prompts }: ModeRun,
  rollout: Rollout,
  place: Place,
  hidden: Tensor | undefined,
): () => Promise<Omit<KeptSteps, "pieces">> {
  if (!hidden) return () => Promise.resolve({});
  const { length } = rollout.thinking;
  const [{ fetch }] = lookBack({
    ...{ model, thinking, prompt: prompts[place.question], hidden, seed, step: EVALUATION_STEP },
    rollouts: [{ ...rollout, id: numberOf(place) }],
    ...{ mostRows: Infinity, width: MOST_MIXED },
  });
  return async () => keptSteps(thinking, await fetch(), 0, length);
}

/** Useful operations; the prompt's are shared by all samples of its question. */
function flopsOf(run: ModeRun, record: RolloutRecord): number {
  const { model: { config }, mode: { thinking } } = run;
  return rolloutFlops(config, {
    prompt: record.promptTokens,
    shared: samplesOf(run),
    thinking: record.thinkingTokens.length,
    forced: record.forcedTokens.length,
    answer: record.answerTokens.length,
  }, mixesVocabulary(thinking));
}
