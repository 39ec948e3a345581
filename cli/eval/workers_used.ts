import type { Gpu } from "../../gpu/gpu.ts";
import type { JobRunner } from "../../model/generation/generate_jobs.ts";
import { describeKind, kindOf } from "../../rl/workers/result.ts";
import type { WorkersTimed, WorkerTime } from "../../rl/workers/worker_time.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";

/** Who made the rollouts of a task in this process, where workers did. */
export interface WorkersUsed {
  /** What each did, and this device beside them, which is called `here`. */
  workers: WorkerTime[];
  /** Rollouts by the kind of device that they were made on: between kinds last digits differ. */
  devices: Record<string, number>;
}

/** Rollouts by workers, and what is told of them. */
export interface CountedRun {
  run: JobRunner;
  /** What was done since this was last asked; undefined where nothing was. */
  take(): WorkersUsed | undefined;
}

/** Counts what workers, and this device beside them, do of the rollouts that are asked for. */
export function countedRun(run: JobRunner, pool: WorkersTimed, gpu: Gpu): CountedRun {
  const here = describeKind(kindOf(gpu));
  let devices: Record<string, number> = {};
  return {
    run: (model, tokenizer, jobs, settings, output) =>
      run(model, tokenizer, jobs, settings, {
        ...output,
        onRollout(rollout, seconds) {
          const kind = rollout.madeOn ?? here;
          devices[kind] = (devices[kind] ?? 0) + 1;
          output.onRollout(rollout, seconds);
        },
      }),
    take() {
      const used = { workers: pool.takeSpent(), devices };
      devices = {};
      return used.workers.length === 0 ? undefined : used;
    },
  };
}

/** A line a worker, then the devices' kinds, where there are several. */
export function describeWorkersUsed({ workers, devices }: WorkersUsed): string {
  const rows = workers.map((one) => [
    one.name,
    one.device || "-",
    `${one.rollouts}`,
    one.rollouts > 0 ? (one.rollouts / one.seconds).toPrecision(3) : "-",
    one.waited.toFixed(1),
    inBytes(one.bytes),
    inBytes(one.fetched),
    `${one.refused}`,
    `${one.failed}`,
  ]);
  const header = [
    ...["worker", "device", "rollouts", "rollouts/s", "waited, s", "sent", "fetched", "refused", "failed"],
  ];
  const kinds = Object.entries(devices).map(([kind, count]) => `${count} on ${kind}`);
  return [
    table(rows, { header, align: ["left", "left", ...header.slice(2).map(() => "right" as const)] }),
    ...(kinds.length > 1
      ? [`Rollouts by kinds of devices, whose last digits differ: ${kinds.join("; ")}`]
      : []),
  ].join("\n\n");
}
