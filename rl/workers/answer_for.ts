import { type NatsConnection, RequestError } from "@nats-io/transport-node";
import { JOBS } from "./streams.ts";

/** Where whoever gives jobs, or takes them, answers that it is there: beside the queue's subjects, in no stream. */
const subjectOf = (who: string): string => `${JOBS}.${who}.there`;

/** Milliseconds for an answer: a process that computes is slow to give one. */
const PATIENCE = 2000;

/**
 * Answers whoever asks whether somebody is there, as long as this process is connected.
 * @param who a session, or what several are together, of whom one answers
 */
export function answerFor(connection: NatsConnection, who: string): void {
  connection.subscribe(subjectOf(who), {
    queue: who,
    callback: (_error, message) => void message?.respond(),
  });
}

/**
 * Whether somebody may be there. Only what the server knows for sure counts: that nobody listens, as is so at once when a process was killed.
 * @param who as {@link answerFor} has it
 */
export async function mayBeThere(connection: NatsConnection, who: string): Promise<boolean> {
  try {
    await connection.request(subjectOf(who), undefined, { timeout: PATIENCE });
    return true;
  } catch (error) {
    return !(error instanceof RequestError && error.isNoResponders());
  }
}
