import { evaluate } from "../eval/evaluate.ts";
import type { Model } from "../model/transformer/transformer.ts";
import { ALONE } from "./cluster/learners.ts";
import { reserveTraining } from "./memory/reserve_training.ts";
import type { Run } from "./run/run.ts";
import type { RunState } from "./run/run_state.ts";
import { saveCheckpoint } from "./run/save_checkpoint.ts";
import type { ToldRollout } from "./samples/kept_rollout.ts";
import { createSampleBudget, keepSamples } from "./samples/sample_budget.ts";
import type { StepMetrics } from "./step_metrics.ts";
import { trainStep } from "./train_step.ts";
import type { Trainer } from "./trainer.ts";
import { UndoneUpdate } from "./undone_update.ts";
import type { UpdatePart } from "./update_part.ts";

/** How a run is watched and kept. */
export interface TrainSchedule {
  /** Updates of the whole run. */
  steps: number;
  /** Updates between validations (greedy accuracy; the best checkpoint is kept); 0 for none. A shorter run has none. */
  validateEvery: number;
  /** Questions of a validation. */
  validationQuestions: number;
  /** Updates between checkpoints. */
  saveEvery: number;
  /** Checkpoints kept, besides the best. */
  keep: number;
  /** Updates between completions that are shown; 0 for none. */
  printEvery: number;
}

/** A line of metrics.jsonl. */
export interface MetricsLine extends StepMetrics {
  /** Tokens generated since the run began, thinking and answers. */
  tokens_seen: number;
  /** Greedy validation accuracy, where it was measured. */
  validation_accuracy?: number;
}

/** Called between updates, and within them. */
export interface TrainHooks {
  /** After each update, with the line that was logged. */
  onStep(line: MetricsLine): void;
  /** Now and then, the first rollout of an update. */
  onSample?(sample: ToldRollout): void;
  /** As an update, or a validation after it, goes on. */
  onPart?(part: UpdatePart): void;
  /** Aborted: save after the update under way, and stop. */
  signal: AbortSignal;
}

/**
 * Trains from `state.step` to the schedule's end, or until the signal is aborted; every exit leaves a checkpoint. Of several learners the
 * first writes the run, and all stop after the update in which one is told to.
 * @returns the state reached
 */
export async function train(
  unwatched: Trainer,
  run: Run,
  schedule: TrainSchedule,
  state: RunState,
  hooks: TrainHooks,
): Promise<RunState> {
  const trainer: Trainer = { ...unwatched, onPart: (part) => hooks.onPart?.(part) };
  const { learners = ALONE } = trainer;
  const isFirst = learners.rank === 0;
  let current = state;
  let saved = state.step;
  let reserved = false;
  const budget = createSampleBudget();
  while (current.step < schedule.steps) {
    const step = current.step + 1;
    if (!reserved) await reserveTraining(trainer);
    reserved = true;
    const done = await trainStep(trainer, step).catch((error: unknown) => {
      if (error instanceof UndoneUpdate) return error;
      throw error;
    });
    if (done instanceof UndoneUpdate) {
      if (current.step > saved) await saveCheckpoint(run, trainer, current, schedule.keep);
      if (done.failure) throw done.failure;
      break;
    }
    const { metrics, kept, first } = done;
    current = { ...current, step, tokens: current.tokens + metrics.tokens };
    const line: MetricsLine = { ...metrics, tokens_seen: current.tokens };
    const validates = schedule.validateEvery > 0 && trainer.task.size("validation") !== 0 &&
      (step % schedule.validateEvery === 0 ||
        (step === schedule.steps && schedule.validateEvery < schedule.steps));
    if (validates) {
      trainer.model.gpu.profile.phase = "validation";
      const found = isFirst ? await validate(trainer, schedule.validationQuestions) : 0;
      line.validation_accuracy = (await learners.gather(found))[0];
      reserved = false;
      // Of equals the latest: it has learned more of what validation cannot see.
      if (!current.best || line.validation_accuracy >= current.best.accuracy) {
        current.best = { step, accuracy: line.validation_accuracy };
      }
    }
    keepSamples(run, kept ?? [], budget);
    if (schedule.printEvery > 0 && step % schedule.printEvery === 0) hooks.onSample?.(first());
    // Logged before it is saved: after a kill in between, the step is cut from the log and done again.
    run.appendMetrics(line as unknown as Record<string, unknown>);
    hooks.onStep(line);
    const isStopped = async () => (await learners.gather(hooks.signal.aborted)).includes(true);
    const isLast = await isStopped() || step === schedule.steps;
    if (!isLast && step % schedule.saveEvery !== 0 && current.best?.step !== step) continue;
    await saveCheckpoint(run, trainer, current, schedule.keep);
    saved = step;
    if (await isStopped()) break;
  }
  return current;
}

/** Memory for the length of a block that is of another kind than what comes before and after: neither keeps the other's. */
export function memoryApart({ gpu: { arena } }: Model): Disposable {
  arena.trim();
  return { [Symbol.dispose]: () => arena.trim() };
}

/** Greedy accuracy with discrete thinking on the first validation questions: what the best checkpoint is chosen by. */
async function validate(
  { model, tokenizer, task, settings, rules, prompt, onPart }: Trainer,
  questions: number,
): Promise<number> {
  using _ = memoryApart(model);
  const [result] = await evaluate(model, tokenizer, task, {
    stream: "validation",
    seed: settings.seed,
    questions,
    modes: ["hard-greedy"],
    gamma: 0,
    embeddingRms: 1,
    samples: 1,
    maxThinking: rules.maxThinking,
    answerTokens: rules.maxAnswer,
    prompt,
    longPrompts: prompt?.room?.long,
    onProgress: ({ done, total }) => onPart?.({ part: "validation", done, total }),
  });
  return result.accuracy.value;
}
