import { type Consumer, jetstream, type JsMsg } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { UserError } from "../../gpu/errors.ts";
import { pause } from "../../gpu/pause.ts";
import { firstIssue } from "../../model/files/first_issue.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import { answerFor, mayBeThere } from "./answer_for.ts";
import { connectNats, type NatsPlace, shownPlace } from "./connect_nats.ts";
import { type Job, jobSchema, TOKEN } from "./job.ts";
import { type NatsPatience, natsPatience, NatsRefusal } from "./nats_patience.ts";
import { type Failure, HEADERS } from "./receive_results.ts";
import { ACK_WAIT, JOBS, messageRoom, newId, openStreams, resultSubject, WORKERS } from "./streams.ts";
import { watchConnection } from "./watch_connection.ts";

/** Whose jobs are taken, and who takes them. */
export interface TakeOptions {
  nats: NatsPlace;
  /** What the worker calls itself. */
  name: string;
  /** Of softcot: for jobs of another it does nothing. */
  version: string;
  /** Aborted to end it: the job in hand goes back into the queue. */
  signal: AbortSignal;
  say(line: string): void;
  /** Told when it waits for its first job. */
  ready(): void;
  /** Told after each job. */
  done(job: DoneJob): void;
}

/** What a job came to. */
export interface DoneJob {
  rollouts: number;
  seconds: number;
  /** Bytes of the result, and of what was fetched for it. */
  bytes: number;
  fetched: number;
}

/** A job's result, as it is sent. */
export interface MadeResult {
  bytes: Uint8Array<ArrayBuffer>;
  rollouts: number;
  fetched: number;
}

/** Milliseconds that a request for a job waits at the server. */
const PATIENCE = 5000;
/** Milliseconds without being let in after which a worker ends: it has nothing to lose, and who started it should know. */
const BORNE = 60_000;
/** Times that a job is tried that cannot be done, and that workers may end at it, by an error or without a word. */
const [MOST_TRIES, MOST_ENDS] = [5, 3];
/** Bytes of the reason why a job cannot be done, as it is sent. */
const LONGEST_REASON = 2000;

/**
 * Takes jobs from the queue, one at a time, and sends what is made of them, until the signal is aborted. A job is acknowledged when the server
 * has its result.
 * @param make the result of a job, after so many seconds of waiting for it
 * @throws UserError if there is no such server, it does not let this client in any more, or the jobs are another version's
 */
export async function takeJobs(
  options: TakeOptions,
  make: (job: Job, waited: number) => Promise<MadeResult>,
): Promise<void> {
  const { nats, name, say } = options;
  const connection = await connectNats(nats, `softcot worker ${name}`);
  try {
    await openStreams(connection);
    answerFor(connection, WORKERS);
    const lost = new AbortController();
    const warn = (line: string) => say(`warning: ${line}`);
    watchConnection(connection, shownPlace(nats), { say, warn, ended: (why) => lost.abort(why) }, BORNE);
    const signal = AbortSignal.any([options.signal, lost.signal]);
    const next = jobQueue(connection, signal, natsPatience(connection, "ask for a job", say));
    const sending = natsPatience(connection, "send a result", say);
    options.ready();
    let began = performance.now();
    while (!signal.aborted) {
      const message = await next();
      if (!message) continue;
      const waited = (performance.now() - began) / 1000;
      const worker = { ...options, signal, connection, sending };
      const done = await takeJob(worker, message, (job) => make(job, waited));
      if (done) options.done(done);
      began = performance.now();
    }
    if (!options.signal.aborted) lost.signal.throwIfAborted();
  } finally {
    await Promise.race([connection.drain().catch(() => {}), pause(1000)]);
    // One that cannot drain, since the server is away, would go on trying.
    await connection.close();
  }
}

/** Gives the next job; none where none came for a while, or the server is away. */
function jobQueue(
  connection: NatsConnection,
  signal: AbortSignal,
  patience: NatsPatience,
): () => Promise<JsMsg | null> {
  let consumer: Consumer | undefined;
  const take = async () => {
    try {
      consumer ??= await jetstream(connection).consumers.get(JOBS, WORKERS);
      const message = await consumer.next({ expires: PATIENCE });
      patience.succeeded();
      return message;
    } catch (error) {
      consumer = undefined;
      await patience.failed(error);
      return null;
    }
  };
  return async () => {
    const stopped = Promise.withResolvers<null>();
    const stop = () => stopped.resolve(null);
    signal.addEventListener("abort", stop, { once: true });
    const found = take();
    // One that comes when nobody waits any more goes back.
    found.then((message) => signal.aborted && !connection.isClosed() && message?.nak(), () => {});
    try {
      const message = await Promise.race([found, stopped.promise]);
      return signal.aborted ? null : message;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
}

/** @returns undefined where the job went back, or nowhere */
async function takeJob(
  worker: TakeOptions & { connection: NatsConnection; sending: NatsPatience },
  message: JsMsg,
  make: (job: Job) => Promise<MadeResult>,
): Promise<DoneJob | undefined> {
  const alive = setInterval(() => message.working(), ACK_WAIT / 4);
  try {
    const before = message.info.deliveryCount - 1;
    if (before >= MOST_TRIES) throw new LeftJob(before);
    const job = jobOf(message, worker.version);
    const began = performance.now();
    const { bytes, rollouts, fetched } = await make(job);
    const seconds = (performance.now() - began) / 1000;
    message.working();
    await send(worker, job, bytes);
    await message.ackAck().catch(() => {}); // given again, it is done again, and changes nothing
    return { rollouts, seconds, bytes: bytes.length, fetched };
  } catch (error) {
    if (worker.signal.aborted) {
      if (!worker.connection.isClosed()) message.nak();
      return;
    }
    await giveBack(worker, message, error);
  } finally {
    clearInterval(alive);
  }
}

/** A job that this softcot would not make as it is meant. */
class OtherVersion extends UserError {}

/** A job that workers had and left without a word. */
class LeftJob extends UserError {
  constructor(times: number) {
    super(`Cannot do a job: ${times} workers before had it and ended, or left it`);
  }
}

/**
 * Puts a job that failed back into the queue, or takes it out where that is of no use, and says why to who gave it. A job of a process that was
 * killed stays in the queue for good, though its weights, or its version of softcot, are there no more: it goes with the first worker at it.
 * @throws the error, where it is this worker's end
 */
async function giveBack(
  worker: TakeOptions & { connection: NatsConnection },
  message: JsMsg,
  error: unknown,
) {
  const tries = message.info.deliveryCount;
  const isUsers = error instanceof UserError;
  const isLeft = isUsers && !(error instanceof NatsRefusal) && await isOfNobody(worker, message);
  const isEnd = !isLeft && (!isUsers || error instanceof OtherVersion || error instanceof NatsRefusal);
  const isBroken = error instanceof LeftJob || (!isUsers && tries >= MOST_ENDS);
  const isOver = isLeft || (isUsers && !isEnd && tries >= MOST_TRIES);
  await tellFailure(worker, message, isBroken ? "broken" : isOver ? "over" : "tried", error).catch(() => {});
  if (isBroken || isOver) message.term();
  else if (isUsers) message.nak(1000);
  else message.nak();
  if (isEnd) throw error;
  const { message: reason } = error as Error;
  worker.say(isLeft ? `took out a job of a process that is gone: ${reason}` : reason);
}

/** Whether the process that gave a job is gone. */
async function isOfNobody(
  { connection }: { connection: NatsConnection },
  { subject }: JsMsg,
): Promise<boolean> {
  const [, session] = subject.split(".");
  return TOKEN.test(session) && !await mayBeThere(connection, session);
}

/** Sends the reason in the place of a result, once. */
async function tellFailure(
  { connection, name }: TakeOptions & { connection: NatsConnection },
  { subject, headers: given }: JsMsg,
  failure: Failure,
  error: unknown,
): Promise<void> {
  const [, session] = subject.split(".");
  const job = given?.get("Nats-Msg-Id") ?? "";
  if (![session, job].every((id) => TOKEN.test(id))) return;
  const { message, hint } = error as UserError;
  const told = headers();
  told.set(HEADERS.worker, name);
  told.set(HEADERS.failed, failure);
  const reason = hint ? `${message} (${hint})` : `${message}`;
  await jetstream(connection).publish(
    resultSubject(session, job, newId()),
    new TextEncoder().encode(reason).subarray(0, LONGEST_REASON),
    { headers: told, timeout: 2000 },
  );
}

function jobOf(message: JsMsg, own: string): Job {
  let data: unknown;
  try {
    data = parseJson(message.string());
  } catch {
    data = undefined;
  }
  const version = (data as { version?: unknown } | undefined)?.version;
  if (typeof version === "string" && version !== own) {
    throw new OtherVersion(
      `Cannot work for this training or evaluation: it is softcot ${
        version.slice(0, 60)
      }, this worker is ${own}`,
      "start workers of the version that gives the jobs",
    );
  }
  const read = jobSchema.safeParse(data);
  if (read.success) return read.data;
  throw new UserError(`Cannot do a job: it is none: ${firstIssue(read.error)}`);
}

/** Sends a result, in pieces that the server takes; waits where it is away or full. */
async function send(
  { connection, name, signal, sending }: TakeOptions & { connection: NatsConnection; sending: NatsPatience },
  { session, id }: Job,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const result = newId();
  const most = messageRoom(connection);
  for (let piece = 0; piece * most < bytes.length; piece++) {
    const told = headers();
    told.set(HEADERS.worker, name);
    told.set(HEADERS.piece, `${piece}`);
    told.set(HEADERS.bytes, `${bytes.length}`);
    for (let isSent = false; !isSent;) {
      signal.throwIfAborted();
      try {
        await jetstream(connection).publish(
          resultSubject(session, id, result),
          bytes.subarray(piece * most, (piece + 1) * most),
          { headers: told, msgID: `${result}-${piece}`, timeout: 5000 },
        );
        sending.succeeded();
        isSent = true;
      } catch (error) {
        await sending.failed(error);
      }
    }
  }
}
