import { jetstream, type JsMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { joinedBytes } from "../../gpu/joined_bytes.ts";
import { pause } from "../../gpu/pause.ts";
import { RESULTS, resultSubject } from "./streams.ts";

/** Headers of each piece of a result: who sent it, which piece it is, and how many bytes all of them have. */
export const HEADERS = { worker: "Softcot-Worker", piece: "Softcot-Piece", bytes: "Softcot-Bytes" } as const;

/** Told of what workers send. */
export interface ResultTaker {
  /** The most bytes that a job's result may have; undefined of a job that nobody waits for any more. */
  most(job: string): number | undefined;
  /** A result is there as a whole. */
  take(job: string, worker: string, bytes: Uint8Array<ArrayBuffer>): void;
  /** It is none, by its pieces alone. */
  refuse(job: string, worker: string, why: string): void;
}

/** Results on their way. */
export interface ResultReceiver {
  /** Reads all that is there anew: the server may have lost what it knew of this reader. */
  restart(): void;
  close(): void;
}

/** A result whose pieces come. */
interface Growing {
  job: string;
  pieces: Uint8Array[];
  bytes: number;
}

/** Results of one session whose first pieces are there: more than there are ever workers at one job. */
const MOST_GROWING = 256;
const LONGEST_NAME = 64;

/** Puts the pieces of a session's results together, as they come. What is larger than it may be is refused by its first piece. */
export function receiveResults(
  connection: NatsConnection,
  session: string,
  taker: ResultTaker,
): ResultReceiver {
  const growing = new Map<string, Growing | "refused">();
  let current: { stop(): void } | undefined;
  let closed = false;

  const take = ({ subject, headers, data }: JsMsg) => {
    const [, , job] = subject.split(".");
    const worker = nameOf(headers?.get(HEADERS.worker));
    const most = taker.most(job);
    const known = growing.get(subject);
    if (known === "refused") return;
    if (most === undefined) return void growing.delete(subject);
    const [piece, bytes] = [HEADERS.piece, HEADERS.bytes].map((name) => Number(headers?.get(name) || NaN));
    const result = known ?? { job, pieces: [], bytes: 0 };
    const refuse = (why: string) => {
      growing.set(subject, "refused");
      taker.refuse(job, worker, why);
    };
    if (!Number.isSafeInteger(bytes) || bytes <= 0) return refuse("does not say how large it is");
    if (bytes > most) return refuse(`has ${bytes} bytes, ${most} at most are possible`);
    // Again from the beginning: this reader began anew.
    if (piece === 0 && result.pieces.length > 0) Object.assign(result, { pieces: [], bytes: 0 });
    if (piece !== result.pieces.length) return;
    result.pieces.push(data);
    result.bytes += data.length;
    if (result.bytes > bytes) return refuse(`has more than the ${bytes} bytes that it announced`);
    if (result.bytes < bytes) return void growing.set(subject, result);
    growing.delete(subject);
    taker.take(job, worker, joinedBytes(result.pieces));
  };
  const tidy = () => {
    for (const [subject, result] of growing) {
      const [, , job] = subject.split(".");
      if (taker.most(job) === undefined || (growing.size > MOST_GROWING && result !== "refused")) {
        growing.delete(subject);
      }
    }
  };
  const listen = async () => {
    const stream = jetstream(connection);
    while (!closed) {
      try {
        const consumer = await stream.consumers.get(RESULTS, { filter_subjects: resultSubject(session) });
        const messages = await consumer.consume({ max_messages: 32, expires: 5000 });
        current = messages;
        for await (const message of messages) {
          take(message);
          if (growing.size > MOST_GROWING) tidy();
        }
      } catch {
        // The server is away: what it has is read when it is back.
      }
      if (!closed) await pause(200);
    }
  };
  listen();
  return {
    restart() {
      tidy();
      current?.stop();
    },
    close() {
      closed = true;
      current?.stop();
    },
  };
}

/** What a worker calls itself, as it may be shown. */
const nameOf = (name: string | undefined): string =>
  (name ?? "").replace(/[^\w.:@-]/g, "_").slice(0, LONGEST_NAME) || "a worker without a name";
