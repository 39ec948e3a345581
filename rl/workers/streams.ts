import {
  AckPolicy,
  type ConsumerInfo,
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import { UserError } from "../../gpu/errors.ts";

/** The queue of jobs, those of all trainings and evaluations on a server: each is there until a worker acknowledges it. */
export const JOBS = "softcot-jobs";

/** What workers send back, until it is taken. */
export const RESULTS = "softcot-results";

/** All workers take jobs by this one consumer, each job going to one of them. */
export const WORKERS = "workers";

/** Milliseconds without a sign of life of a worker after which its job is given to another. */
export const ACK_WAIT = 10_000;

/** Subjects of what a session, one process that gives jobs, publishes and is sent. */
export const jobSubject = (session: string): string => `${JOBS}.${session}`;

/** @param result a name for what one worker sends of a job once; all of them if left out */
export const resultSubject = (session: string, job = "*", result = "*"): string =>
  `${RESULTS}.${session}.${job}.${result}`;

/** A name for one thing of a session. */
export const newId = (): string => crypto.randomUUID().replaceAll("-", "");

/** Bytes of a message that are not its content's: subject and headers. */
const OVERHEAD = 4096;

/** Bytes that the content of one message may have. */
export const messageRoom = ({ info }: NatsConnection): number => (info?.max_payload ?? 2 ** 20) - OVERHEAD;

const MINUTE = 60_000;
const GIGABYTE = 2 ** 30;

/** Nobody waits that long for what a process that is gone left there. */
const KEPT = nanos(60 * MINUTE);

/**
 * Makes the streams and the consumer where they are not there. What they may hold bounds what those who publish can heap up: more is
 * refused, not kept in place of what is there.
 * @throws UserError if the server does not let us, or has no room for them
 */
export async function openStreams(connection: NatsConnection): Promise<JetStreamManager> {
  const manager = await jetstreamManager(connection);
  try {
    await ensure(manager, {
      name: JOBS,
      subjects: [`${JOBS}.*`],
      retention: RetentionPolicy.Workqueue,
      duplicate_window: nanos(10 * MINUTE),
      max_msgs: 100_000,
      // Those that are at a job may be at it for hours: what a process that is gone left there, the first worker that cannot do it takes out.
      max_age: 0,
    });
    await ensure(manager, {
      name: RESULTS,
      subjects: [`${RESULTS}.*.*.*`],
      retention: RetentionPolicy.Limits,
      max_age: KEPT,
    });
    await manager.consumers.add(JOBS, {
      durable_name: WORKERS,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ACK_WAIT),
      max_ack_pending: 10_000,
    });
  } catch (error) {
    throw new UserError(
      `Cannot use JetStream for jobs: ${(error as Error).message}`,
      `the streams ${JOBS} and ${RESULTS} are made by whoever comes first: credentials must allow it, and the server have room`,
    );
  }
  return manager;
}

/** A stream reserves its bytes: as many as the server has to give. */
async function ensure(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  let refused: unknown;
  for (const max_bytes of [4 * GIGABYTE, GIGABYTE, GIGABYTE / 4, GIGABYTE / 16]) {
    try {
      await manager.streams.info(config.name);
      return;
    } catch {
      // Not there yet.
    }
    try {
      await manager.streams.add({ ...config, discard: DiscardPolicy.New, max_bytes });
      return;
    } catch (error) {
      refused = error;
    }
  }
  throw refused;
}

/** Who waits for jobs and who is at work, as the server counts them; undefined where it does not answer. */
export async function workersThere(manager: JetStreamManager): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(JOBS, WORKERS);
  } catch {
    return undefined;
  }
}
