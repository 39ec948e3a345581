import { generateJobs } from "../../model/generation/generate_jobs.ts";
import { roomForFed } from "../../model/generation/generate.ts";
import type { Rollout } from "../../model/generation/rollout.ts";
import { type AnyWay, wayOfThinking, type WayOptions } from "../../model/thinking/ways.ts";
import type { Job } from "./job.ts";
import type { ReadyModel } from "./worker_model.ts";

/** What a job asks for. */
export interface MadeRollouts {
  /** In the order of the job, with the seconds that each took. */
  rollouts: { rollout: Rollout; seconds: number }[];
  /** [thinking tokens, d] of the first ones: as many as the job wants. */
  rows: Float32Array[];
}

/** What of a job says how rollouts are made. */
export type RolloutOrder = Pick<
  Job,
  "prompts" | "thinking" | "rules" | "answerTau" | "seed" | "step" | "atOnce" | "rows"
>;

/** Makes the rollouts of a job, and keeps the rows that their thinking fed. */
export async function makeRollouts(
  job: RolloutOrder,
  { model, tokenizer }: Pick<ReadyModel, "model" | "tokenizer">,
  signal: AbortSignal,
): Promise<MadeRollouts> {
  const { prompts, rules, answerTau, seed, step, atOnce, rows: wanted } = job;
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const thinking = wayOfThinking(job.thinking.way as AnyWay, job.thinking.options as WayOptions);
  const hidden = wanted > 0 && thinking.continuous
    ? roomForFed(model, { thinking, rules }, wanted, scratch)
    : undefined;
  const rollouts: MadeRollouts["rollouts"] = [];
  await generateJobs(model, tokenizer, prompts, { thinking, rules, answerTau, seed, step, atOnce, signal }, {
    hidden,
    onRollout: (rollout, seconds) => void (rollouts[rollout.index] = { rollout, seconds }),
  });
  const steps = hidden?.shape[1] ?? 0;
  const reads = rollouts.slice(0, hidden ? wanted : 0).map(({ rollout }, i) => {
    const count = rollout.thinking.length * config.hiddenSize;
    if (count === 0) return () => Promise.resolve(new ArrayBuffer(0));
    return gpu.reader.startPieces([{ tensor: hidden!, from: i * steps * config.hiddenSize, count }]);
  });
  const rows: Float32Array[] = [];
  for (const read of reads) rows.push(new Float32Array(await read()));
  return { rollouts, rows };
}
