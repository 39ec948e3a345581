import { readSystemFile } from "../../gpu/device/system_files.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { WorkerTime } from "../workers/worker_time.ts";
import type { Learners } from "./learners.ts";

/** Seconds of an update's parts. */
export interface StepSeconds {
  /** Seconds of the whole step. */
  step: number;
  /** Seconds of generation. */
  rollout: number;
  /** Seconds of grading. */
  grade: number;
  /** Seconds of objective, backward pass and optimizer. */
  update: number;
  /** Seconds of measuring beside it, where the update is diagnosed. */
  diagnosis?: number;
  /** Seconds of looking at the steps of the rollouts that are kept, where some of the update are. */
  samples?: number;
}

/** What one of several learners spent on an update. */
export interface LearnerTime {
  /** That it drew, itself or by workers. */
  rollouts: number;
  /** Seconds of generation. */
  rollout: number;
  /** Seconds that it waited for others. */
  waited: number;
  /** Seconds of summing. */
  summed: number;
  /** Bytes that it sent to others. */
  sent_bytes: number;
}

/** What an update took, beside its seconds. */
export interface StepPeaks {
  /** The most bytes that this process has held so far, or holds now where the system does not keep it. */
  process_peak_bytes: number;
  /** The most bytes of device memory so far. */
  device_peak_bytes: number;
  /** Each learner's own, in the order of their ranks, where there are several. */
  learners?: LearnerTime[];
  /** What each worker did, and this device beside them, where there are some. */
  workers?: WorkerTime[];
}

/** What an update cost. */
export interface Clock extends StepPeaks {
  seconds: StepSeconds;
}

/**
 * An update's cost to the learner for which it was highest, and each one's own.
 * @param own seconds of this one's parts, the rollouts that it drew, and what its workers did
 */
export async function gatherClock(
  learners: Learners,
  gpu: Gpu,
  { seconds, rollouts, workers }: { seconds: StepSeconds; rollouts: number; workers?: WorkerTime[] },
): Promise<Clock> {
  const spent = learners.takeSpent();
  const all = await learners.gather({
    ...{ seconds, workers },
    process_peak_bytes: peakOfProcess(),
    device_peak_bytes: gpu.arena.peakBytes,
    time: {
      ...{ rollouts, rollout: seconds.rollout, waited: spent.waited, summed: spent.summed },
      sent_bytes: spent.bytes,
    },
  });
  const most = (of: (one: typeof all[number]) => number) => Math.max(...all.map(of));
  return {
    seconds: Object.fromEntries(
      Object.keys(seconds).map((part) => [part, most((one) => one.seconds[part as keyof StepSeconds]!)]),
    ) as unknown as StepSeconds,
    process_peak_bytes: most((one) => one.process_peak_bytes),
    device_peak_bytes: most((one) => one.device_peak_bytes),
    ...(all.length === 1 ? {} : { learners: all.map(({ time }) => time) }),
    ...(workers ? { workers: all.flatMap((one) => one.workers ?? []) } : {}),
  };
}

/** Linux keeps the peak; elsewhere what is held now stands for it. */
function peakOfProcess(): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readSystemFile("/proc/self/status") ?? "")?.[1];
  return kilobytes ? Number(kilobytes) * 1024 : Deno.memoryUsage().rss;
}
