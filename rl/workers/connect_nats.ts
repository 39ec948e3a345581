import { connect, credsAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import { UserError } from "../../gpu/errors.ts";
import { readPlain } from "../../model/files/plain_file.ts";
import { forgiveResets } from "./forgive_resets.ts";

/** How a NATS server is reached, with its own words for it. */
export interface NatsPlace {
  /** nats://HOST:PORT or tls://HOST:PORT, several of one cluster parted by commas; a user and a password may stand in it. */
  url: string;
  /** File of credentials, as `nsc` makes them. */
  creds?: string;
  /** Files in PEM: who signed the server's certificate, and this client's own certificate and key. */
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
}

/** How a server comes to a machine; a hint. */
const INSTALL_NATS =
  "apt-get install nats-server brings it, and `nats-server -js` starts one for this machine";

/** Bytes of a file of credentials or certificates. */
const MOST_BYTES = 1024 * 1024;

/**
 * Connects to a server that has JetStream. Where the connection breaks later it is made anew, however long that takes.
 * @param name what the server calls this client
 * @throws UserError if there is none, or it does not let this client in
 */
export async function connectNats(place: NatsPlace, name: string): Promise<NatsConnection> {
  forgiveResets();
  const urls = place.url.split(",").map((one) => parsed(one.trim()));
  const shown = shownPlace(place);
  const [{ username, password }] = urls;
  const { tlsCa, tlsCert, tlsKey } = place;
  const isTls = urls.some(({ protocol }) => protocol === "tls:") || Boolean(tlsCa ?? tlsCert);
  let connection: NatsConnection;
  try {
    connection = await connect({
      ...{ servers: urls.map(({ host }) => host), name, maxReconnectAttempts: -1, reconnectTimeWait: 500 },
      ...{ pingInterval: 10_000, timeout: 20_000 },
      // Else the second refusal closes the connection for good, though credentials may be renewed.
      ignoreAuthErrorAbort: true,
      ...(username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {}),
      ...(place.creds ? { authenticator: credsAuthenticator(newest(place.creds)) } : {}),
      ...(isTls
        ? {
          tls: {
            ...(tlsCa ? { ca: text(tlsCa) } : {}),
            ...(tlsCert ? { cert: text(tlsCert) } : {}),
            ...(tlsKey ? { key: text(tlsKey) } : {}),
          },
        }
        : {}),
    });
  } catch (error) {
    throw refused(error, shown, place);
  }
  if (connection.info?.jetstream) return connection;
  await connection.close();
  throw new UserError(
    `Cannot use the NATS server at ${shown}: it has no JetStream, which is needed`,
    "start it with JetStream: nats-server -js -sd FOLDER",
  );
}

/** A server's address without a password. */
export function shownPlace({ url }: Pick<NatsPlace, "url">): string {
  return url.split(",").map((one) => {
    const { protocol, host } = parsed(one.trim());
    return `${protocol}//${host}`;
  }).join(",");
}

function parsed(url: string): URL {
  const whole = url.includes("://") ? url : `nats://${url}`;
  const found = URL.canParse(whole) ? new URL(whole) : undefined;
  if (found && ["nats:", "tls:"].includes(found.protocol) && found.hostname !== "") return found;
  throw new UserError(
    `Cannot use ${JSON.stringify(url.replace(/\/\/.*@/, "//...@"))} as the address of a NATS server: ` +
      "nats://HOST or tls://HOST is needed, with :PORT where it is not 4222",
  );
}

/** Credentials as their file has them whenever a connection is made: they expire and are renewed. While it is being written, those before. */
function newest(path: string): () => Uint8Array<ArrayBuffer> {
  let known = read(path, "credentials");
  return () => {
    try {
      const now = read(path, "credentials");
      // A token and a key, each between two lines of dashes.
      if ((new TextDecoder().decode(now).match(/^\s*-{3,}.*-{3,}\n/gm) ?? []).length >= 4) known = now;
    } catch {
      // Gone for a moment, or for good: the server says what it makes of those before.
    }
    return known;
  };
}

const text = (path: string): string => new TextDecoder().decode(read(path, "certificates"));

function read(path: string, what: string): Uint8Array<ArrayBuffer> {
  try {
    return readPlain(path, MOST_BYTES);
  } catch (error) {
    throw new UserError(`Cannot read the ${what} in ${path}: ${(error as Error).message}`);
  }
}

function refused(error: unknown, shown: string, { creds }: NatsPlace): unknown {
  if (error instanceof UserError) return error;
  const { message, name } = error as Error;
  if (/authoriz|authentic|permission/i.test(`${name} ${message}`)) {
    return new UserError(
      `Cannot use the NATS server at ${shown}: it does not let us in (${message.toLowerCase()})`,
      creds
        ? `the credentials in ${creds} are not for it`
        : "give its credentials with --creds FILE, or USER:PASSWORD@ in the address",
    );
  }
  if (/tls|certificate|handshake|self.signed/i.test(message)) {
    return new UserError(
      `Cannot use the NATS server at ${shown}: ${message}`,
      "tls://HOST asks for TLS; --tls-ca names the file of who signed its certificate",
    );
  }
  return new UserError(`Cannot reach a NATS server at ${shown}: ${message}`, INSTALL_NATS);
}
