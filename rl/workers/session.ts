import { type NatsConnection, RequestError } from "@nats-io/transport-node";
import { JOBS } from "./streams.ts";

/** Where a session that gives jobs answers that it is there: beside the queue's subjects, in no stream. */
const subjectOf = (session: string): string => `${JOBS}.${session}.there`;

/** Milliseconds for an answer: a session that computes is slow to give one. */
const PATIENCE = 2000;

/** Answers whoever asks whether a session is there, as long as it is connected. */
export function answerFor(connection: NatsConnection, session: string): void {
  connection.subscribe(subjectOf(session), { callback: (_error, message) => void message?.respond() });
}

/**
 * Whether the process that gave jobs may be there. Only what the server knows for sure counts: that nobody listens for it, as is so at once when
 * its process was killed.
 */
export async function isSessionThere(connection: NatsConnection, session: string): Promise<boolean> {
  try {
    await connection.request(subjectOf(session), undefined, { timeout: PATIENCE });
    return true;
  } catch (error) {
    return !(error instanceof RequestError && error.isNoResponders());
  }
}
