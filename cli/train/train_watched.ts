import type { Run } from "../../rl/run/run.ts";
import type { RunState } from "../../rl/run/run_state.ts";
import { type MetricsLine, train } from "../../rl/train.ts";
import type { LearnerTime } from "../../rl/cluster/gather_clock.ts";
import type { WorkerTime } from "../../rl/workers/worker_time.ts";
import type { Trainer } from "../../rl/trainer.ts";
import type { UpdatePart } from "../../rl/update_part.ts";
import { createProgress, type Progress } from "../terminal/progress.ts";
import { describeSample } from "./describe_sample.ts";
import type { TrainValues } from "./train_settings.ts";

/** Trains to the last step or until the signal is aborted, with progress on stderr. */
export async function trainWatched(
  trainer: Trainer,
  run: Run,
  values: TrainValues,
  state: RunState,
  signal: AbortSignal,
  quiet: boolean,
): Promise<RunState> {
  const counting = { label: "train", total: values.steps, start: state.step, curve: "reward" };
  using progress = createProgress({ ...counting, quiet });
  return await train(trainer, run, values, state, {
    signal,
    onStep: (line) => showStep(progress, line),
    onSample: (sample) => progress.log(describeSample(sample)),
    onPart: (part) => progress.within(() => describePart(part)),
  });
}

/** `rollouts 12/128 (3,400 tokens)`, `micro-batches 3/9`. */
function describePart({ part, done, total, tokens }: UpdatePart): string {
  return `${part} ${done}/${total}${tokens ? ` (${tokens.toLocaleString("en")} tokens)` : ""}`;
}

function showStep(progress: Progress, line: MetricsLine): void {
  progress.update(line.step, {
    reward: line.reward.toFixed(1),
    accuracy: line.accuracy.toFixed(2),
    thinking: line.thinking_tokens.toFixed(1),
    ...(typeof line.kl_thinking === "number" ? { kl_thinking: line.kl_thinking.toFixed(4) } : {}),
    ...(line.rollout_age === undefined ? {} : { "off-policy": describeAge(line) }),
    ...(line.time.learners ? { learners: describeLearners(line.time.learners) } : {}),
    ...(line.time.workers ? { workers: describeWorkers(line.time.workers) } : {}),
    ...(line.validation_accuracy === undefined ? {} : { validation: line.validation_accuracy.toFixed(3) }),
  });
}

/** How old the rollouts are, and what their importance ratios came to: of thinking steps, then of answer tokens. */
function describeAge(line: MetricsLine): string {
  const both = (part: "mean" | "truncated", told: (value: number) => string) =>
    [line[`ratio_thinking_${part}`], line[`ratio_answer_${part}`]]
      .map((value) => typeof value === "number" ? told(value) : "-").join("/");
  const truncated = both("truncated", (share) => `${(100 * share).toFixed(1)}%`);
  return `${line.rollout_age} old (ratio ${
    both("mean", (ratio) => ratio.toFixed(3))
  }, truncated ${truncated})`;
}

/** For whom others waited, and how long they did. */
function describeLearners(all: readonly LearnerTime[]): string {
  const waited = all.map((one) => one.waited);
  const slowest = waited.indexOf(Math.min(...waited));
  return `${all.length} (slowest ${slowest}, waited for ${Math.max(...waited).toFixed(1)} s)`;
}

/** How many made rollouts, and how many of these came a second. */
function describeWorkers(all: readonly WorkerTime[]): string {
  const others = all.filter(({ name, rollouts }) => name !== "here" && rollouts > 0);
  // Of several learners each tells of the same ones.
  const names = [...new Set(others.map(({ name }) => name))];
  const rate = names.reduce((sum, one) => {
    const own = others.filter(({ name }) => name === one);
    const of = (key: "rollouts" | "seconds") => own.reduce((total, entry) => total + entry[key], 0);
    return sum + of("rollouts") / of("seconds");
  }, 0);
  return names.length === 0 ? "0" : `${names.length} (${rate.toPrecision(3)} rollouts/s)`;
}
