import { jetstream } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import type { Rollout } from "../../../model/generation/rollout.ts";
import { type Job, weightsOf } from "../../../rl/workers/job.ts";
import { HEADERS } from "../../../rl/workers/receive_results.ts";
import { encodeResult, type ResultHead } from "../../../rl/workers/result.ts";
import { JOBS, resultSubject, WORKERS } from "../../../rl/workers/streams.ts";

/** A token that neither ends anything nor has a brace, in the vocabulary of the embedded task. */
const HARMLESS = 9;

/** Takes the next job that there is. */
export async function takeJob(connection: NatsConnection) {
  const consumer = await jetstream(connection).consumers.get(JOBS, WORKERS);
  for (;;) {
    const message = await consumer.next({ expires: 5000 });
    if (message) return { message, job: message.json<Job>() };
  }
}

/** Sends a result in one piece, whatever it says of itself. */
export async function sendResult(
  connection: NatsConnection,
  { session, id }: Job,
  worker: string,
  bytes: Uint8Array,
  announced = bytes.length,
): Promise<void> {
  const told = headers();
  told.set(HEADERS.worker, worker);
  told.set(HEADERS.piece, "0");
  told.set(HEADERS.bytes, `${announced}`);
  await jetstream(connection).publish(resultSubject(session, id, crypto.randomUUID().slice(0, 8)), bytes, {
    headers: told,
  });
}

/** A result that has the form of a right one: each rollout thinks and answers up to its limits in one token. */
export function madeUp(
  job: Job,
  head: Partial<ResultHead> = {},
  number = -1,
  width = 0,
): Uint8Array<ArrayBuffer> {
  const { rules: { maxThinking, maxAnswer } } = job;
  const count = job.prompts.reduce((sum, { rolloutIds }) => sum + rolloutIds.length, 0);
  const stats = (length: number) => {
    const numbers = new Float32Array(length).fill(number);
    return { logp: numbers, entropy: numbers, gap: numbers };
  };
  const rollout = {
    thinking: Array<number>(maxThinking).fill(HARMLESS),
    answer: Array<number>(maxAnswer).fill(HARMLESS),
    thinkingStats: stats(maxThinking),
    answerStats: stats(maxAnswer),
  } as unknown as Rollout;
  const { rollouts: _, ...rest } = head as Partial<ResultHead>;
  return encodeResult(
    {
      ...{ job: job.id, version: job.version, weights: weightsOf(job), update: job.update },
      ...{ seconds: 1, waited: 0, fetched: 0 },
      device: { adapter: "llvmpipe", matmulFamily: "broadcast", subgroupSize: 8 },
      ...rest,
    },
    Array.from({ length: count }, () => ({ rollout, seconds: 1 })),
    Array.from({ length: job.rows }, () => new Float32Array(maxThinking * width).fill(number)),
  );
}
