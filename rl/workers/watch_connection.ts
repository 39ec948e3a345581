import {
  AuthorizationError,
  type NatsConnection,
  UserAuthenticationExpiredError,
} from "@nats-io/transport-node";
import { NatsRefusal } from "./nats_patience.ts";
import { openStreams } from "./streams.ts";

/** Who is told of a connection to a NATS server. */
export interface ConnectionListener {
  say(line: string): void;
  warn(line: string): void;
  /** Called when the server is there again: it may have lost all that it knew. */
  back?(): void;
  /** Called once where it will not be there again: this client closed it, or was not let in for as long as that is borne. */
  ended(why: NatsRefusal): void;
}

/** Milliseconds between words that the server does not let us in. */
const REMIND = 30_000;

/**
 * Tells when a connection breaks and is there again, with its streams, until it is closed. That a server does not let this client in any more,
 * as when credentials expired or were taken back, need not last: they are read anew at each try.
 * @param borne milliseconds of it after which the connection has ended
 */
export async function watchConnection(
  connection: NatsConnection,
  place: string,
  { say, warn, back, ended }: ConnectionListener,
  borne = Infinity,
): Promise<void> {
  let isBroken = false;
  let refusedSince: number | undefined;
  let told = -Infinity;
  connection.closed().then((error) => {
    if (error) ended(refusal(place, error));
  });
  const refused = (error: Error) => {
    const now = performance.now();
    refusedSince ??= now;
    if (now - refusedSince >= borne) return ended(refusal(place, error));
    if (now - told < REMIND) return;
    told = now;
    say(`${place} does not let us in any more (${error.message.toLowerCase()}): waiting for new credentials`);
  };
  for await (const status of connection.status()) {
    if (status.type === "error" && isRefusal(status.error)) refused(status.error);
    // Each try that fails is told as one more.
    if (status.type === "disconnect" && !isBroken) {
      isBroken = true;
      say(`the connection to ${place} broke: waiting for the server`);
    }
    if (status.type !== "reconnect" || !isBroken) continue;
    isBroken = false;
    [refusedSince, told] = [undefined, -Infinity];
    say(`${place} is there again`);
    await openStreams(connection).catch((error) => warn((error as Error).message));
    back?.();
  }
}

const isRefusal = (error: Error): boolean =>
  error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;

const refusal = (place: string, { message }: Error): NatsRefusal =>
  new NatsRefusal(
    `Cannot go on with the NATS server at ${place}: it does not let us in any more (${message.toLowerCase()})`,
    "renew the credentials, as --creds or the address names them, and start this again",
  );
