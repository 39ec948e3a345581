import { createHash, type Hash } from "node:crypto";
import { UserError } from "../../gpu/errors.ts";
import { pause } from "../../gpu/pause.ts";
import { fileSize } from "../files/on_disk.ts";
import { guardDisk } from "./guard_disk.ts";
import type { Hub } from "./hub.ts";
import type { HubFile } from "./hub_api.ts";
import { type About, broken, TransientError } from "./hub_errors.ts";
import { retry } from "./retry.ts";
import { follow, startRequest } from "./request.ts";
import { openPlain } from "../files/plain_file.ts";
import { openOwn } from "../files/own_file.ts";

/** A file to be fetched. */
interface Download {
  file: HubFile;
  /** Where the hub serves it. */
  url: string;
  about: About;
  /** Where its content is to be, in the end. */
  blob: string;
  /** Its lock. */
  lock: string;
  /** Told how many bytes are there, as they come. */
  onBytes?(bytes: number): void;
  /** Told how many more came over the network. */
  onFetched?(bytes: number): void;
}

/**
 * Fetches the content of a file into the cache. What has come lies in `BLOB.incomplete`, is gone on with by the next
 * attempt, or the next process, and takes its name only when its hash is the one that the hub lists. A second
 * process that wants the same waits.
 *
 * @throws UserError if the hub, the disk, or what came is at fault
 */
export async function downloadBlob(hub: Hub, download: Download): Promise<void> {
  const { blob, file, lock, onBytes } = download;
  using _lock = await takeLock(hub, lock, file.path);
  // The lock's last owner may have fetched it.
  if (fileSize(blob) === file.size) return onBytes?.(file.size);
  const incomplete = `${blob}.incomplete`;
  let best = fileSize(incomplete) ?? 0;
  const hasMoved = () => {
    const now = fileSize(incomplete) ?? 0;
    const moved = now > best;
    best = Math.max(best, now);
    return moved;
  };
  for (const isLast of [false, true]) {
    const resumed = (fileSize(incomplete) ?? 0) > 0;
    await retry(
      hub,
      `fetch ${file.path}`,
      () => guardDisk(incomplete, () => attempt(hub, download)),
      hasMoved,
      () => (fileSize(incomplete) ?? 0) > 0,
    );
    const found = await guardDisk(incomplete, () => hashOfBlob(hub, incomplete, file));
    if (found === file.hash) break;
    Deno.removeSync(incomplete);
    // A part that an earlier run left may be what is wrong: begin anew, once.
    if (resumed && !isLast) continue;
    throw new UserError(
      `Cannot pull ${file.path}: what came has the hash ${found.slice(0, 16)}..., the hub lists ${
        file.hash.slice(0, 16)
      }...`,
      "what came is thrown away; try again, and if it stays so, the server is not to be trusted",
    );
  }
  guardDisk(incomplete, () => Deno.renameSync(incomplete, blob));
}

/** One request for what is missing of a file, appended to what is there. */
async function attempt(hub: Hub, { file, url, about, blob, onBytes, onFetched }: Download): Promise<void> {
  using part = openOwn(`${blob}.incomplete`, { write: true });
  let have = part.statSync().size;
  if (have > file.size) part.truncateSync(have = 0);
  onBytes?.(have);
  if (have === file.size) return;
  using request = startRequest(hub);
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  const check = (hop: Response) => checkLinked(file, hop.headers);
  const response = await follow(hub, url, { ...about, path: file.path }, headers, request.signal, check);
  const from = beginAt(response, file, have);
  if (from < have) part.truncateSync(have = from);
  part.seekSync(have, Deno.SeekMode.Start);
  if (response.status === 416) throw new TransientError("the server refused to go on with a part");
  const reader = response.body!.getReader();
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      throw broken(hub, error);
    });
    if (done) break;
    request.alive();
    if (have + value.length > file.size) {
      throw wrongSize(file, `sends more than that, ${have + value.length} bytes so far`);
    }
    for (let at = 0; at < value.length;) at += part.writeSync(value.subarray(at));
    have += value.length;
    onBytes?.(have);
    onFetched?.(value.length);
  }
  if (have < file.size) {
    throw new TransientError(`the server ended ${file.path} at byte ${have} of ${file.size}`);
  }
  part.syncSync();
}

/** What the hub says of a large file before it sends us on: told at once, rather than after gigabytes. */
function checkLinked(file: HubFile, headers: Headers): void {
  const tag = headers.get("x-linked-etag")?.replace(/^W\//, "").replaceAll('"', "");
  if (tag && tag !== file.hash) {
    throw new UserError(
      `Cannot pull ${file.path}: the server has it with hash ${tag.slice(0, 16)}..., the hub lists ${
        file.hash.slice(0, 16)
      }...`,
      "try again, and if it stays so, the server is not to be trusted",
    );
  }
  const size = headers.get("x-linked-size");
  if (size !== null && Number(size) !== file.size) throw wrongSize(file, `has ${size}`);
}

/** Where the body of a response begins; checks what it says of the size. */
function beginAt(response: Response, file: HubFile, have: number): number {
  const { status, headers } = response;
  if (status === 416) return 0;
  if (status === 206) {
    const range = headers.get("content-range")?.match(/^bytes (\d+)-\d+\/(\d+|\*)$/);
    if (!range || Number(range[1]) !== have) {
      throw wrongSize(file, `answers bytes ${have}- with ${headers.get("content-range")}`);
    }
    if (range[2] !== "*" && Number(range[2]) !== file.size) throw wrongSize(file, `has ${range[2]}`);
    return have;
  }
  // Status 200: a server that knows no ranges sends everything.
  const length = headers.get("content-length");
  if (length !== null && Number(length) !== file.size) throw wrongSize(file, `announces ${length}`);
  return 0;
}

function wrongSize(file: HubFile, what: string): UserError {
  return new UserError(
    `Cannot pull ${file.path}: the hub lists ${file.size} bytes, the server ${what}`,
    "check HF_ENDPOINT, and whether a proxy answers in the hub's place; then try again",
  );
}

/** The hash of a file on disk, in the form that the hub lists for it; signals are heard on the way. */
export async function hashOfBlob(
  { signal }: Pick<Hub, "signal">,
  path: string,
  { hash, size }: Pick<HubFile, "hash" | "size">,
): Promise<string> {
  // A small file is a git object: SHA-1 over a header and the content.
  const hasher: Hash = hash.length === 64
    ? createHash("sha256")
    : createHash("sha1").update(`blob ${size}\0`);
  const buffer = new Uint8Array(2 ** 22);
  using file = openPlain(path);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hasher.update(buffer.subarray(0, count));
    signal?.throwIfAborted();
  }
  return hasher.digest("hex");
}

async function takeLock(hub: Hub, path: string, what: string): Promise<Disposable> {
  const file = guardDisk(path, () => {
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    return openOwn(path, { write: true });
  });
  try {
    // Short at first: the other may be at a small file.
    for (let wait = 1; !file.tryLockSync(true); wait *= 2) {
      if (wait === 128) hub.notice(`waiting for another process that fetches ${what}`);
      hub.signal?.throwIfAborted();
      await pause(Math.min(wait, 200));
    }
  } catch (error) {
    file.close();
    throw error;
  }
  // Closing gives the lock back; the file stays, as Python leaves it, for whoever waits on it.
  return { [Symbol.dispose]: () => file.close() };
}
