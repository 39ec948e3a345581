import type { NatsConnection } from "@nats-io/transport-node";
import { openStreams } from "./streams.ts";

/** Who is told of a connection to a NATS server. */
export interface ConnectionListener {
  say(line: string): void;
  warn(line: string): void;
  /** Called when the server is there again: it may have lost all that it knew. */
  back?(): void;
}

/** Tells when a connection breaks and is there again, with its streams, until it is closed. */
export async function watchConnection(
  connection: NatsConnection,
  place: string,
  { say, warn, back }: ConnectionListener,
): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === "disconnect") say(`the connection to ${place} broke: waiting for the server`);
    if (type !== "reconnect") continue;
    say(`${place} is there again`);
    await openStreams(connection).catch((error) => warn((error as Error).message));
    back?.();
  }
}
