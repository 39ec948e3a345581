import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { UserError } from "../../gpu/errors.ts";
import { openPlain } from "../files/plain_file.ts";
import type { Hub } from "./hub.ts";
import { broken, TransientError } from "./hub_errors.ts";
import { nextAddress, startRequest } from "./request.ts";

/** A part of a file, and where it goes. */
export interface Part {
  /** Of the file. */
  path: string;
  /** Its first byte. */
  from: number;
  bytes: number;
  /** As the hub names it: it carries its own rights, and gets no token. */
  url: string;
  headers: Record<string, string>;
}

const PIECE = 2 ** 20;

/**
 * Puts a part of a file into the hub's store, a piece in memory at a time: fetch of this Deno would send a stream without its length, which
 * stores of this kind refuse.
 *
 * @param onBytes told how many bytes of the part have gone
 * @returns the ETag that the store gives it
 * @throws TransientError if trying again may help, UserError if the store refuses it
 */
export async function putPart(hub: Hub, part: Part, onBytes: (bytes: number) => void): Promise<string> {
  const url = new URL(nextAddress(hub, hub.endpoint, part.url));
  using clock = startRequest(hub);
  using file = openPlain(part.path);
  file.seekSync(part.from, Deno.SeekMode.Start);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const options = {
    ...{ method: "PUT", signal: clock.signal },
    headers: { ...part.headers, "content-length": String(part.bytes) },
  };
  try {
    const { promise: answered, resolve, reject } = Promise.withResolvers<{ status: number; etag: string }>();
    const out = send(url, options, (response) => {
      response.resume();
      response.on("error", reject);
      response.on(
        "end",
        () => resolve({ status: response.statusCode ?? 0, etag: String(response.headers.etag ?? "") }),
      );
    });
    out.on("error", reject);
    answered.catch(() => {}); // told below, when what is being written has come back
    let isAnswered = false;
    answered.then(() => isAnswered = true, () => isAnswered = true);
    const buffer = new Uint8Array(PIECE);
    for (let sent = 0; sent < part.bytes && !isAnswered;) {
      const count = await file.read(buffer.subarray(0, Math.min(PIECE, part.bytes - sent)));
      if (count === null) throw new UserError(`Cannot push ${part.path}: it has become shorter meanwhile`);
      if (!out.write(buffer.slice(0, count))) {
        await Promise.race([new Promise((done) => out.once("drain", done)), answered]);
      }
      clock.alive();
      onBytes(sent += count);
    }
    out.end();
    const { status, etag } = await answered;
    if (status === 200 || status === 201 || status === 204) return etag;
    const what = `the store answered ${status} to a part of ${part.path}`;
    if (status === 408 || status === 429 || status >= 500) throw new TransientError(what);
    throw new UserError(
      `Cannot push ${part.path}: ${what}`,
      "try again: such addresses hold for a while only",
    );
  } catch (error) {
    throw broken(hub, clock.signal.aborted ? clock.signal.reason : error);
  }
}
