import { createBeside } from "./own_file.ts";
import { openPlain } from "./plain_file.ts";

/** A line of a file, and where it lies. */
export interface FileLine {
  /** Without its end. */
  text: string;
  /** From 1. */
  number: number;
  /** Of its first byte. */
  start: number;
  /** Its end counted. */
  bytes: number;
}

const PIECE = 1 << 20;
const NEWLINE = 10;

/** The whole lines of a file that begin below byte `limit`, read a piece at a time. */
export function* linesOf(path: string, limit = Infinity): Generator<FileLine> {
  using file = openPlain(path);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(PIECE);
  let rest = new Uint8Array(0);
  let [start, number] = [0, 1];
  for (let count = file.readSync(buffer); count !== null && start < limit; count = file.readSync(buffer)) {
    const data = new Uint8Array(rest.length + count);
    data.set(rest);
    data.set(buffer.subarray(0, count), rest.length);
    let at = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0 && start < limit; end = data.indexOf(NEWLINE, at)) {
      const bytes = end + 1 - at;
      yield { text: decoder.decode(data.subarray(at, end)), number: number++, start, bytes };
      start += bytes;
      at = end + 1;
    }
    rest = data.slice(at);
  }
}

/** A file that holds these parts of it, in this order, takes its place. */
export function keepParts(path: string, parts: Iterable<{ start: number; bytes: number }>): void {
  const { file: to, beside } = createBeside(path);
  {
    using from = openPlain(path);
    using _ = to;
    for (const { start, bytes } of parts) {
      const part = new Uint8Array(bytes);
      from.seekSync(start, Deno.SeekMode.Start);
      for (let at = 0; at < bytes;) at += from.readSync(part.subarray(at))!;
      for (let at = 0; at < bytes;) at += to.writeSync(part.subarray(at));
    }
    to.syncSync();
    Deno.renameSync(beside, path);
  }
}
