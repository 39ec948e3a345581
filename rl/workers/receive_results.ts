import { jetstream, type JetStreamManager, type JsMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { joinedBytes } from "../../gpu/joined_bytes.ts";
import { pause } from "../../gpu/pause.ts";
import { natsPatience } from "./nats_patience.ts";
import { RESULTS, resultSubject } from "./streams.ts";

/** Headers of each piece of a result: who sent it, which piece it is, and how many bytes all of them have. */
export const HEADERS = {
  worker: "Softcot-Worker",
  piece: "Softcot-Piece",
  bytes: "Softcot-Bytes",
  /** In a result's place: what became of the job, one of {@link FAILURES}; the content is the reason in words. */
  failed: "Softcot-Failed",
} as const;

/** A worker did not succeed: it is still in the queue, it was taken out, or it was taken out since workers ended at it. */
export const FAILURES = ["tried", "over", "broken"] as const;

/** See {@link FAILURES}. */
export type Failure = (typeof FAILURES)[number];

/** Told of what workers send. */
export interface ResultTaker {
  /** The most bytes that a job's result may have; undefined of a job that nobody waits for any more. */
  most(job: string): number | undefined;
  /** A result is there as a whole. */
  take(job: string, worker: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** It is none, by its pieces alone. */
  refuse(job: string, worker: string, why: string): void;
  /** There is none. */
  failed(job: string, worker: string, failure: Failure, why: string): void;
  /** None can come any more. */
  stop(reason: unknown): void;
  say(line: string): void;
}

/** Results on their way. */
export interface ResultReceiver {
  /** Reads all that is there anew: the server may have lost what it knew of this reader. */
  restart(): void;
  /** Nobody waits for this job's results any more. */
  forget(job: string): void;
  close(): void;
}

/** A result whose pieces come. */
interface Growing {
  pieces: Uint8Array[];
  bytes: number;
}

/** Results of one job that grow side by side: as many as a job was given again while others were still sending, and some. */
const MOST_GROWING = 8;
/** Results of one job that are heeded. */
const MOST_RESULTS = 256;
/** Whole results that are looked through side by side: the next ones wait at the server. */
const MOST_TAKEN = 8;
const LONGEST_NAME = 64;

/**
 * Puts the pieces of a session's results together, as they come. What is larger than it may be is refused by its first piece. What has been read
 * is deleted, message by message: a purge of one job's would have nats-server 2.9 skip all others that the reader has not got yet.
 */
export function receiveResults(
  connection: NatsConnection,
  manager: JetStreamManager,
  session: string,
  taker: ResultTaker,
): ResultReceiver {
  const jobs = new Map<string, Map<string, Growing | "ended">>();
  const takes = new Set<Promise<void>>();
  const reading: Reading = { isOver: false };
  const receive = (message: JsMsg) => {
    const { subject, headers, data } = message;
    const [, , job] = subject.split(".");
    const most = taker.most(job);
    if (most === undefined) return;
    const results = jobs.get(job) ?? new Map<string, Growing | "ended">();
    jobs.set(job, results);
    const known = results.get(subject);
    if (known === "ended" || (!known && results.size >= MOST_RESULTS)) return;
    const worker = nameOf(headers?.get(HEADERS.worker));
    const failure = FAILURES.find((one) => one === headers?.get(HEADERS.failed));
    const grown = failure ? undefined : grow(known, message, most);
    results.set(subject, typeof grown === "object" && "pieces" in grown ? grown : "ended");
    makeRoom(results);
    if (failure) return taker.failed(job, worker, failure, new TextDecoder().decode(data));
    if (typeof grown === "string") return taker.refuse(job, worker, grown);
    if (!(grown instanceof Uint8Array)) return;
    const take = taker.take(job, worker, grown).catch(taker.stop).finally(() => takes.delete(take));
    takes.add(take);
  };
  const read = async (message: JsMsg) => {
    // What is not read is still there: its job is under way.
    while (takes.size >= MOST_TAKEN) await Promise.race(takes);
    receive(message);
    if (!reading.isOver) manager.streams.deleteMessage(RESULTS, message.seq, false).catch(() => {});
  };
  follow(connection, resultSubject(session), reading, taker.say, read).catch(taker.stop);
  return {
    restart: () => reading.current?.stop(),
    forget: (job) => void jobs.delete(job),
    close() {
      reading.isOver = true;
      reading.current?.stop();
    },
  };
}

/** Messages that are being read. */
interface Reading {
  isOver: boolean;
  /** Stopped to begin anew, or to end where it is over. */
  current?: { stop(): void };
}

/** Reads the results' messages of a subject, those that are there and those that come, however often the server goes away. */
async function follow(
  connection: NatsConnection,
  subject: string,
  reading: Reading,
  say: (line: string) => void,
  read: (message: JsMsg) => Promise<void>,
): Promise<void> {
  const stream = jetstream(connection);
  const patience = natsPatience(connection, "read what workers send", say);
  while (!reading.isOver) {
    try {
      const consumer = await stream.consumers.get(RESULTS, { filter_subjects: subject });
      const messages = await consumer.consume({ max_messages: 32, expires: 5000 });
      reading.current = messages;
      patience.succeeded();
      for await (const message of messages) await read(message);
    } catch (error) {
      // The server is away: what it has is read when it is back.
      if (!reading.isOver) await patience.failed(error);
    }
    if (!reading.isOver) await pause(200);
  }
}

/**
 * A result with one more piece.
 * @returns all of its bytes where this was the last one, or why it is none
 */
function grow(
  known: Growing | undefined,
  { headers, data }: JsMsg,
  most: number,
): Growing | Uint8Array<ArrayBuffer> | string {
  const [piece, bytes] = [HEADERS.piece, HEADERS.bytes].map((name) => Number(headers?.get(name) || NaN));
  const result = known ?? { pieces: [], bytes: 0 };
  if (!Number.isSafeInteger(bytes) || bytes <= 0) return "does not say how large it is";
  if (bytes > most) return `has ${bytes} bytes, ${most} at most are possible`;
  // Another is one that was read before: the reader began anew.
  if (piece !== result.pieces.length) return result;
  result.pieces.push(data);
  result.bytes += data.length;
  if (result.bytes > bytes) return `has more than the ${bytes} bytes that it announced`;
  return result.bytes < bytes ? result : joinedBytes(result.pieces);
}

/** Lets the oldest of a job's results go where more grow than there can be workers at it. */
function makeRoom(results: Map<string, Growing | "ended">): void {
  const growing = [...results].filter(([, result]) => result !== "ended");
  for (const [subject] of growing.slice(0, Math.max(0, growing.length - MOST_GROWING))) {
    results.set(subject, "ended");
  }
}

/** What a worker calls itself, as it may be shown. */
const nameOf = (name: string | undefined): string =>
  (name ?? "").replace(/[^\w.:@-]/g, "_").slice(0, LONGEST_NAME) || "a worker without a name";
