import { jetstream, JetStreamApiError } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { pause } from "../../gpu/pause.ts";
import { natsPatience } from "./nats_patience.ts";
import { jobSubject } from "./streams.ts";
import type { GivenJob } from "./worker_pool.ts";

/** Jobs of a session that are out, by their ids. */
export interface GivenJobs {
  get(id: string): GivenJob | undefined;
  all(): GivenJob[];
  /** Publishes a job, now or as soon as the server takes it; it is among them from now on. */
  give(given: GivenJob): void;
  /** It is none of them any more. */
  forget(given: GivenJob): void;
  /** Publishes all once more: what the server has, it does not take twice. */
  giveAgain(): void;
  /** Resolves when the server has all that was given, or soon where it does not answer. */
  flush(): Promise<void>;
  /** Nothing can come of any of them, nor of those that are yet to be given. */
  stop(reason: unknown): void;
}

/** Milliseconds. */
const LONGEST_FLUSH = 1000;

/**
 * @param say told where the server takes nothing for long
 * @param takeBack takes a job out of the queue that was forgotten before the server said where it is
 */
export function giveJobs(
  connection: NatsConnection,
  session: string,
  say: (line: string) => void,
  takeBack: (one: GivenJob) => void,
): GivenJobs {
  const jobs = new Map<string, GivenJob>();
  const sending = new Set<Promise<void>>();
  let stopped: { reason: unknown } | undefined;
  const patience = natsPatience(connection, "give a job to workers", say);
  const publish = async (one: GivenJob) => {
    const { job } = one;
    const text = JSON.stringify(job);
    const isForgotten = () => jobs.get(job.id) !== one;
    // A try that got no answer may have put it there: one more says where it is.
    for (let isThere = false; isThere || !isForgotten();) {
      try {
        const { seq } = await jetstream(connection)
          .publish(jobSubject(session), text, { msgID: job.id, timeout: 5000 });
        one.sequence = seq;
        if (isForgotten()) takeBack(one);
        return patience.succeeded();
      } catch (error) {
        if (connection.isClosed()) return;
        isThere = !(error instanceof JetStreamApiError);
        // The server is away, or its queue is full: later.
        await patience.failed(error);
      }
    }
  };
  const send = (one: GivenJob) => {
    const sent = publish(one).catch(one.stop).finally(() => sending.delete(sent));
    sending.add(sent);
  };
  return {
    get: (id) => jobs.get(id),
    all: () => [...jobs.values()],
    give(one) {
      if (stopped) return one.stop(stopped.reason);
      jobs.set(one.job.id, one);
      send(one);
    },
    forget: (one) => void jobs.delete(one.job.id),
    giveAgain() {
      for (const one of jobs.values()) {
        // Of a server that forgot all, the number is another message's.
        one.sequence = undefined;
        send(one);
      }
    },
    async flush() {
      await Promise.race([Promise.all(sending), pause(LONGEST_FLUSH)]);
    },
    stop(reason) {
      stopped = { reason };
      for (const one of jobs.values()) one.stop(reason);
    },
  };
}
