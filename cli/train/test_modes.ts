import { UserError } from "../../gpu/errors.ts";
import type { Task } from "../../eval/task.ts";
import { evaluate } from "../../eval/evaluate.ts";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { modesOf, samplesIn } from "../../eval/modes.ts";
import { isTaken } from "../../model/files/on_disk.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { mixingOf } from "../../model/thinking/ways.ts";
import { loadTrained } from "../../rl/run/load_checkpoint.ts";
import { nameOf } from "../../rl/run/run_checkpoints.ts";
import type { RunState } from "../../rl/run/run_state.ts";
import { memoryApart } from "../../rl/train.ts";
import type { Trainer } from "../../rl/trainer.ts";
import { createEvaluationProgress } from "../terminal/evaluation_progress.ts";
import type { TrainValues } from "./train_settings.ts";
import { readPlainText } from "../../model/files/plain_file.ts";

/** The six inference modes, and those of another way that was trained, on test questions; null if the run asks for no tables. */
export async function testModes(
  trainer: Trainer,
  values: TrainValues,
  state: RunState,
  signal: AbortSignal,
  quiet: boolean,
  when: string,
): Promise<ModeResult[] | null> {
  const there = trainer.task.size("test") ?? Infinity;
  if (values.testQuestions === 0 || there === 0) return null;
  trainer.model.gpu.profile.phase = "";
  const questions = Math.min(values.testQuestions, there);
  const modes = modesOf(values.thinking);
  const total = modes.reduce((sum, mode) => sum + questions * samplesIn(mode, values.testSamples), 0);
  using progress = createEvaluationProgress(`test ${when}`, total, quiet);
  using _ = memoryApart(trainer.model);
  return await evaluate(trainer.model, trainer.tokenizer, trainer.task, {
    stream: "test",
    seed: 0,
    questions,
    modes,
    mixing: mixingOf(values),
    gamma: values.gamma,
    embeddingRms: state.embeddingRms,
    samples: values.testSamples,
    maxThinking: values.maxThinking,
    answerTokens: values.answerTokens,
    prompt: trainer.prompt,
    longPrompts: values.longPrompts,
    signal,
    onProgress: progress.update,
  });
}

/**
 * Refuses a table of a single question, which has no standard error, before anything is trained.
 * @throws UserError
 */
export function refuseOneQuestion(task: Task, { testQuestions }: TrainValues): void {
  if (Math.min(testQuestions, task.size("test") ?? Infinity) !== 1) return;
  throw new UserError(
    `Cannot test ${task.name} on one question: a share of one has no standard error, 2 are needed`,
    "--test-questions 0 makes no tables; softcot eval asks single questions",
  );
}

/** The test before training: made once, kept in the run's folder; a run that is under way cannot make it any more. */
export async function testBefore(
  folder: string,
  state: RunState,
  measure: () => Promise<ModeResult[] | null>,
  say: (line: string) => void,
): Promise<ModeResult[] | null> {
  const path = `${folder}/tests.json`;
  const kept = readTests(path);
  if (kept === "damaged" && state.step > 0) {
    say("warning  tests.json cannot be read: there will be no table of before the training");
    return null;
  }
  if (kept !== "damaged" && (kept || state.step > 0)) return kept;
  const before = await measure();
  if (before) writeJson(path, { before });
  return before;
}

function readTests(path: string): ModeResult[] | "damaged" | null {
  if (!isTaken(path)) return null; // not made yet
  try {
    const { before } = JSON.parse(readPlainText(path));
    return Array.isArray(before) ? before : "damaged";
  } catch {
    return "damaged";
  }
}

/** The test of the best checkpoint, where it is not the last: its weights take the trained ones' place. */
export async function testBest(
  { model }: Trainer,
  folder: string,
  { step, best }: RunState,
  measure: () => Promise<ModeResult[] | null>,
): Promise<ModeResult[] | null> {
  if (!best || best.step === step) return null;
  await loadTrained(`${folder}/checkpoints/${nameOf(best.step)}`, model);
  return await measure();
}
