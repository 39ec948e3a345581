import { jetstream, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { pause } from "../../gpu/pause.ts";
import { connectNats, type NatsPlace, shownPlace } from "./connect_nats.ts";
import type { Job } from "./job.ts";
import { receiveResults } from "./receive_results.ts";
import { RefusedResult } from "./result.ts";
import { type FileServer, type ServeAt, serveFiles } from "./serve_files.ts";
import type { WorkersTimed, WorkerTime } from "./worker_time.ts";
import {
  JOBS,
  jobSubject,
  messageRoom,
  newId,
  openStreams,
  RESULTS,
  resultSubject,
  workersThere,
} from "./streams.ts";

/** A job that is given to workers. */
export interface GivenJob {
  job: Job;
  /** The most bytes of its result. */
  most: number;
  /** Of the message that it is, once the server has it. */
  sequence?: number;
  /** Looks through a result; throws RefusedResult. */
  take(bytes: Uint8Array<ArrayBuffer>, worker: string): Promise<void>;
  /** Told of a result that was refused. */
  refused(): void;
}

/** Who is there to take jobs. */
export interface WorkersThere {
  /** Waiting for a job. */
  waiting: number;
  /** Jobs that are made now, of all sessions. */
  atWork: number;
}

/** Workers of a NATS server, as one process uses them that gives them jobs. */
export interface WorkerPool extends AsyncDisposable, WorkersTimed {
  readonly session: string;
  /** Of softcot: workers of another make nothing here. */
  readonly version: string;
  /** Of the server, for people. */
  readonly place: string;
  /** Serves what workers need. */
  readonly files: FileServer;
  /** Bytes that a job's message may have. */
  readonly mostBytes: number;
  /** The least of a device's work is done here, too; else workers alone make rollouts. */
  readonly own: boolean;
  /** Aborted when what is under way is to be ended where nobody works at it. */
  signal?: AbortSignal;
  /** Gives a job, now or as soon as the server takes it. */
  give(given: GivenJob): void;
  /** Resolves when the server has all that was given, or soon where it does not answer. */
  flush(): Promise<void>;
  /** Nobody needs its result any more. */
  withdraw(given: GivenJob): void;
  there(): Promise<WorkersThere | undefined>;
  /** Whether a job waits or is with a worker; of one that the server has not yet, or where it does not answer, yes. */
  isQueued(given: GivenJob): Promise<boolean>;
  /** How many workers will take jobs at once, now or in a moment: those that wait, or that have just sent a result. */
  ready(): Promise<number>;
  /** Counts what was done. */
  count(worker: string, done: Partial<Omit<WorkerTime, "name">>): void;
  say(line: string): void;
}

/** How workers are used. */
export interface PoolOptions {
  nats: NatsPlace;
  version: string;
  serveAt: ServeAt;
  /** This device makes rollouts, too. */
  own: boolean;
  say(line: string): void;
}

const NOTHING = { rollouts: 0, seconds: 0, waited: 0, bytes: 0, fetched: 0, refused: 0 };

/** Milliseconds. */
const LONGEST_FLUSH = 1000;
const LONGEST_REASON = 300;
/** Milliseconds within which a worker that sent something will take more. */
const RECENT = 10_000;

/**
 * Begins a session with the workers of a server.
 * @throws UserError if there is no such server, or the address for files is taken
 */
export async function openPool({ nats, version, serveAt, own, say }: PoolOptions): Promise<WorkerPool> {
  const connection = await connectNats(nats, "softcot");
  const session = newId();
  let manager: JetStreamManager;
  let files: FileServer;
  try {
    manager = await openStreams(connection);
    files = await serveFiles(serveAt);
  } catch (error) {
    await connection.close();
    throw error;
  }
  const place = shownPlace(nats);
  const given = new Map<string, GivenJob>();
  const spent = new Map<string, WorkerTime>();
  // When each worker last sent something.
  const seen = new Map<string, number>();
  const count: WorkerPool["count"] = (name, { device, ...done }) => {
    const entry = spent.get(name) ?? { name, device: "", ...NOTHING };
    for (const key of Object.keys(NOTHING) as (keyof typeof NOTHING)[]) entry[key] += done[key] ?? 0;
    spent.set(name, { ...entry, device: device ?? entry.device });
  };
  const there = async () => {
    const found = await workersThere(manager);
    return found && {
      ...{ waiting: found.num_waiting, atWork: found.num_ack_pending },
    };
  };
  const quietly = (work: Promise<unknown>) => void work.catch(() => {});
  const refuse = (job: string, worker: string, why: string) => {
    count(worker, { refused: 1 });
    say(`refused  a result of worker ${worker}: it ${why.slice(0, LONGEST_REASON)}`);
    given.get(job)?.refused();
  };
  const receiver = receiveResults(connection, session, {
    most: (job) => given.get(job)?.most,
    async take(job, worker, bytes) {
      try {
        seen.set(worker, performance.now());
        await given.get(job)?.take(bytes, worker);
        count(worker, { bytes: bytes.length });
      } catch (error) {
        if (error instanceof RefusedResult) {
          seen.delete(worker);
          refuse(job, worker, error.message);
        } else throw error;
      }
    },
    refuse,
  });
  const sending = new Set<Promise<void>>();
  const publish = async (one: GivenJob) => {
    const { job } = one;
    while (given.get(job.id) === one) {
      try {
        const { seq } = await jetstream(connection)
          .publish(jobSubject(session), JSON.stringify(job), { msgID: job.id, timeout: 5000 });
        one.sequence = seq;
        return;
      } catch {
        // The server is away, or its queue is full: later.
        await pause(500);
      }
    }
  };
  const watch = async () => {
    for await (const { type } of connection.status()) {
      if (type === "disconnect") say(`workers  the connection to ${place} broke: waiting for the server`);
      if (type !== "reconnect") continue;
      say(`workers  ${place} is there again`);
      // It may have lost all that it knew; what it has, it does not take twice.
      await openStreams(connection).catch((error) => say(`warning  ${(error as Error).message}`));
      receiver.restart();
      for (const one of given.values()) quietly(publish(one));
    }
  };
  quietly(watch());
  return {
    ...{ session, version, place, files, own, count, say },
    mostBytes: messageRoom(connection),
    give(one) {
      given.set(one.job.id, one);
      const sent = publish(one).finally(() => sending.delete(sent));
      sending.add(sent);
    },
    async flush() {
      await Promise.race([
        Promise.all(sending),
        pause(LONGEST_FLUSH),
      ]);
    },
    withdraw(one) {
      given.delete(one.job.id);
      if (connection.isClosed()) return;
      if (one.sequence !== undefined) quietly(manager.streams.deleteMessage(JOBS, one.sequence));
      quietly(manager.streams.purge(RESULTS, { filter: resultSubject(session, one.job.id) }));
    },
    there,
    async isQueued({ sequence }) {
      if (sequence === undefined) return true;
      try {
        return await manager.streams.getMessage(JOBS, { seq: sequence }) !== null;
      } catch {
        return true;
      }
    },
    async ready() {
      const now = performance.now();
      for (const [name, time] of seen) if (now - time > RECENT) seen.delete(name);
      return Math.max((await there())?.waiting ?? 0, seen.size);
    },
    takeSpent() {
      const taken = [...spent.values()];
      spent.clear();
      return taken;
    },
    async [Symbol.asyncDispose]() {
      receiver.close();
      await endSession(connection, manager, session);
      files[Symbol.dispose]();
    },
  };
}

/** Takes back what was given and sent, where the server is there to be asked. */
async function endSession(
  connection: NatsConnection,
  manager: JetStreamManager,
  session: string,
): Promise<void> {
  const tidy = Promise.allSettled([
    manager.streams.purge(JOBS, { filter: jobSubject(session) }),
    manager.streams.purge(RESULTS, { filter: resultSubject(session) }),
  ]);
  await Promise.race([tidy, pause(2000)]);
  await connection.close();
}
