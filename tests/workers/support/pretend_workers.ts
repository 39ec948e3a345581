/**
 * Workers that compute nothing: each has a connection of its own, takes jobs and sends results as `softcot worker` does, and takes the rollouts
 * from a list of right ones. Started by crowd.ts.
 *
 *     deno run -A tests/workers/support/pretend_workers.ts NATS_URL FIRST COUNT LIST
 */
import { encodeResult } from "../../../rl/workers/result.ts";
import { weightsOf } from "../../../rl/workers/job.ts";
import { takeJobs } from "../../../rl/workers/take_jobs.ts";
import { type KnownRollouts, readRollouts } from "./known_rollouts.ts";

/** The version of trainers and workers that pretend. */
export const PRETENDED = "pretended";

if (import.meta.main) {
  const [url, first, count, list] = Deno.args;
  const known = readRollouts(list);
  const signal = new AbortController().signal;
  await Promise.all(
    Array.from({ length: Number(count) }, (_, i) => pretend(url, `p${Number(first) + i}`, known, signal)),
  );
}

/** One worker, until the signal is aborted. */
export function pretend(url: string, name: string, known: KnownRollouts, signal: AbortSignal): Promise<void> {
  const say = (line: string) => console.error(`${name}: ${line}`);
  const common = { version: PRETENDED, device: known.device, seconds: 0, fetched: 0 };
  return takeJobs(
    { nats: { url }, name, version: PRETENDED, signal, say, ready() {}, done() {} },
    (job, waited) => {
      const made = job.prompts.flatMap(({ rolloutIds }) => rolloutIds.map((id) => known.rollouts[id]));
      const rows = made.slice(0, job.rows).map(({ rows }) => rows);
      const bytes = encodeResult(
        { ...common, job: job.id, weights: weightsOf(job), update: job.update, waited },
        made,
        rows,
      );
      return Promise.resolve({ bytes, rollouts: made.length, fetched: 0 });
    },
  );
}
