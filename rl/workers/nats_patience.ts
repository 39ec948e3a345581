import { InvalidArgumentError, type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";
import { UserError } from "../../gpu/errors.ts";
import { pause } from "../../gpu/pause.ts";

/** A NATS server will not take it, however often it is asked. */
export class NatsRefusal extends UserError {}

/** Milliseconds between two tries, and without success before that is told, again and again. */
const [BETWEEN, SILENT] = [500, 30_000];

/** What is tried until it succeeds, since servers go away and come back. */
export interface NatsPatience {
  /**
   * Waits before one more try; tells why none succeeds where that has been so for long.
   * @throws NatsRefusal where another try is of no use
   */
  failed(error: unknown): Promise<void>;
  succeeded(): void;
}

/**
 * @param what is tried, as it follows "cannot": several may be at it side by side
 * @param silent milliseconds without success before that is told
 */
export function natsPatience(
  connection: NatsConnection,
  what: string,
  say: (line: string) => void,
  silent = SILENT,
): NatsPatience {
  let since: number | undefined;
  let told = 0;
  return {
    async failed(error) {
      const refusal = refusalOf(error, what, connection.info?.max_payload);
      if (refusal) throw refusal;
      const now = performance.now();
      if (since === undefined) since = told = now;
      if (now - told >= silent) {
        told = now;
        const seconds = ((now - since) / 1000).toFixed(0);
        say(`waiting  cannot ${what}, for ${seconds} s now: the NATS server says ${reasonOf(error)}`);
      }
      await pause(BETWEEN);
    },
    succeeded() {
      since = undefined;
    },
  };
}

const reasonOf = (error: unknown): string =>
  JSON.stringify(error instanceof Error ? error.message : String(error));

function refusalOf(error: unknown, what: string, mostBytes: number | undefined): NatsRefusal | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PermissionViolationError || error.cause instanceof PermissionViolationError) {
    return new NatsRefusal(
      `Cannot ${what}: the NATS server does not allow it (${error.message})`,
      "its credentials must allow to publish to and read the streams softcot-jobs and softcot-results",
    );
  }
  if (error instanceof InvalidArgumentError && error.message.includes("max_payload")) {
    return new NatsRefusal(
      `Cannot ${what}: it is larger than a message of the NATS server may be, ${mostBytes} bytes`,
      "max_payload in the server's configuration says how large messages may be",
    );
  }
  return undefined;
}
