import { mean } from "./crossed.ts";
import type { RunRecord } from "./read_run.ts";

/** What training a line took, by run. */
export interface RunCost {
  updates: number;
  /** The most updates that lay between the weights which made rollouts and those which learned from them: 0 of on-policy trainings. */
  rolloutAge: number;
  /** Generated, thinking and answers. */
  tokens: number;
  /** Of the updates. */
  seconds: number;
  /** Useful operations of rollouts and updates. */
  flops: number;
  /** The most bytes of any run's process. */
  processBytes: number;
  /** The most bytes of device memory of any run. */
  deviceBytes: number;
}

/** The cost of the first so many updates, the mean over runs; null where nothing was trained. */
export function costOf(runs: readonly RunRecord[], step: number): RunCost | null {
  const lines = runs.map((run) => run.lines.filter((line) => line.step <= step));
  if (lines.some((one) => one.length === 0)) return null;
  const sum = (value: (line: RunRecord["lines"][number]) => number) =>
    mean(lines.map((one) => one.reduce((total, line) => total + value(line), 0)));
  const most = (value: (line: RunRecord["lines"][number]) => number) =>
    lines.flat().reduce((largest, line) => Math.max(largest, value(line)), 0);
  return {
    updates: mean(lines.map(({ length }) => length)),
    rolloutAge: most(({ rollout_age = 0 }) => rollout_age),
    tokens: sum(({ tokens }) => tokens),
    seconds: sum(({ time }) => time.step),
    flops: sum(({ rollout_flops, update_flops }) => rollout_flops + update_flops),
    processBytes: most(({ time }) => time.process_peak_bytes),
    deviceBytes: most(({ time }) => time.device_peak_bytes),
  };
}
