import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { pause } from "../../gpu/pause.ts";
import { answerFor, mayBeThere } from "./answer_for.ts";
import { connectNats, type NatsPlace, shownPlace } from "./connect_nats.ts";
import { giveJobs, type GivenJobs } from "./give_jobs.ts";
import { receiveResults, type ResultTaker } from "./receive_results.ts";
import { OutdatedResult, RefusedResult } from "./result.ts";
import { sayAtTimes } from "./say_at_times.ts";
import { type FileServer, type ServeAt, serveFiles } from "./serve_files.ts";
import {
  JOBS,
  messageRoom,
  newId,
  openStreams,
  RESULTS,
  resultSubject,
  WORKERS,
  workersThere,
} from "./streams.ts";
import { watchConnection } from "./watch_connection.ts";
import type { GivenJob, WorkerPool, WorkersThere } from "./worker_pool.ts";
import { tallyWork, type WorkTally } from "./worker_time.ts";

/** How workers are used. */
export interface PoolOptions {
  nats: NatsPlace;
  version: string;
  serveAt: ServeAt;
  /** This device makes rollouts, too. */
  own: boolean;
  say(line: string): void;
}

const LONGEST_REASON = 600;
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
  answerFor(connection, session);
  const place = shownPlace(nats);
  const jobs = giveJobs(connection, session, say, (one) => quietly(takeBack(manager, one)));
  const tally = tallyWork();
  // When each worker last sent something.
  const seen = new Map<string, number>();
  const receiver = receiveResults(connection, manager, session, takerOf(jobs, tally, seen, say));
  quietly(watchConnection(connection, place, {
    say: (line) => say(`workers  ${line}`),
    warn: (line) => say(`warning  ${line}`),
    back() {
      receiver.restart();
      jobs.giveAgain();
    },
    ended: jobs.stop,
  }));
  const there = () => whoIsThere(connection, manager);
  return {
    ...{ session, version, place, files, own, say, ...tally, sayAtTimes: sayAtTimes(say), there },
    mostBytes: messageRoom(connection),
    give: jobs.give,
    flush: jobs.flush,
    withdraw(one) {
      jobs.forget(one);
      receiver.forget(one.job.id);
      if (!connection.isClosed()) quietly(takeBack(manager, one));
    },
    isUnderWay: (one) => isUnderWay(manager, session, one),
    async ready() {
      const now = performance.now();
      for (const [name, time] of seen) if (now - time > RECENT) seen.delete(name);
      return Math.max((await there())?.waiting ?? 0, seen.size);
    },
    async [Symbol.asyncDispose]() {
      receiver.close();
      await endSession(connection, manager, session, jobs);
      files[Symbol.dispose]();
    },
  };
}

const quietly = (work: Promise<unknown>) => void work.catch(() => {});

/** What becomes of what workers send. */
function takerOf(
  jobs: GivenJobs,
  { count }: WorkTally,
  seen: Map<string, number>,
  say: (line: string) => void,
): ResultTaker {
  const often = sayAtTimes(say);
  const refuse = (job: string, worker: string, why: string, outdated = 0) => {
    count(worker, { refused: 1, outdated });
    say(`refused  a result of worker ${worker}: it ${why.slice(0, LONGEST_REASON)}`);
    jobs.get(job)?.refused();
  };
  const look = async (job: string, worker: string, bytes: Uint8Array<ArrayBuffer>) => {
    try {
      await jobs.get(job)?.take(bytes, worker);
      count(worker, { bytes: bytes.length });
    } catch (error) {
      if (!(error instanceof RefusedResult)) throw error;
      seen.delete(worker);
      refuse(job, worker, error.message, error instanceof OutdatedResult ? 1 : 0);
    }
  };
  return {
    most: (job) => jobs.get(job)?.most,
    async take(job, worker, bytes) {
      seen.set(worker, performance.now());
      const now = () => look(job, worker, bytes);
      const one = jobs.get(job);
      await (one?.came ? one.came(now) : now());
    },
    refuse,
    failed(job, worker, failure, why) {
      count(worker, { failed: 1 });
      seen.delete(worker);
      const reason = why.slice(0, LONGEST_REASON);
      // Many workers may find the same.
      often(`failed   worker ${worker} could not do a job: ${reason}`, reason);
      if (failure === "broken") {
        often("failed   a job at which workers end goes to no more of them: this device makes it");
      }
      if (failure !== "tried") jobs.get(job)?.refused(failure === "broken");
    },
    stop: jobs.stop,
    say,
  };
}

async function whoIsThere(
  connection: NatsConnection,
  manager: JetStreamManager,
): Promise<WorkersThere | undefined> {
  const found = await workersThere(manager);
  if (!found) return undefined;
  const { num_waiting: waiting, num_ack_pending: atWork } = found;
  // A job whose worker was killed counts as one that is made until another asks for it.
  return {
    waiting,
    atWork: waiting > 0 || atWork === 0 || await mayBeThere(connection, WORKERS) ? atWork : 0,
  };
}

/**
 * Whether the queue has a job, or the results' stream messages of it that were not read yet: a worker acknowledges a job when the server has
 * all of its result, so that of one that is neither nothing more comes.
 */
async function isUnderWay(
  manager: JetStreamManager,
  session: string,
  { job: { id }, sequence }: GivenJob,
): Promise<boolean> {
  if (sequence === undefined) return true;
  try {
    if (await manager.streams.getMessage(JOBS, { seq: sequence }) !== null) return true;
    const { state } = await manager.streams.info(RESULTS, { subjects_filter: resultSubject(session, id) });
    return Object.keys(state.subjects ?? {}).length > 0;
  } catch {
    return true;
  }
}

/** Takes a job out of the queue. Never by a purge: nats-server 2.9 would skip the jobs of all others, too. */
async function takeBack(manager: JetStreamManager, { sequence }: GivenJob): Promise<void> {
  if (sequence !== undefined) await manager.streams.deleteMessage(JOBS, sequence, false);
}

/** Takes back what was given and sent, where the server is there to be asked. */
async function endSession(
  connection: NatsConnection,
  manager: JetStreamManager,
  session: string,
  jobs: GivenJobs,
): Promise<void> {
  const tidy = async () => {
    // Where those are that it was just given is known then.
    await jobs.flush();
    await Promise.allSettled([
      ...jobs.all().map((one) => takeBack(manager, one)),
      manager.streams.purge(RESULTS, { filter: resultSubject(session) }),
    ]);
  };
  await Promise.race([tidy(), pause(2000)]);
  await connection.close();
}
