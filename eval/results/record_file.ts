import { UserError } from "../../gpu/errors.ts";
import { createBeside, openOwn } from "../../model/files/own_file.ts";

/** A file of JSON lines that grows while an evaluation runs, and is read again when it is gone on with. */
export interface RecordFile<T extends object> extends Disposable {
  /** The file's name. */
  readonly path: string;
  /** The records that were there when the file was opened. */
  known(): Generator<T>;
  /** Adds a record; it is with the operating system when this returns. */
  append(record: T): void;
  /** Puts the records into this order, in a new file that takes the old one's place. */
  sort(order: (record: T) => number): void;
}

const PIECE = 1 << 20;
const NEWLINE = 10;

/**
 * Opens a file of records, or makes it. Keys are written with underscores, as in all files of a run. A last line that a
 * kill cut off is cut away.
 *
 * @throws UserError if a line in the middle of the file is damaged, or the file cannot be written
 */
export function openRecordFile<T extends object>(path: string): RecordFile<T> {
  const file = open(path);
  const whole = wholeLines(file);
  if (whole < file.statSync().size) file.truncateSync(whole);
  file.seekSync(whole, Deno.SeekMode.Start);
  const encoder = new TextEncoder();
  return {
    path,
    *known() {
      for (const { text, number } of linesOf(path, whole)) yield parsed<T>(path, number, text);
    },
    append(record) {
      writeAll(file, encoder.encode(JSON.stringify(renamed(record, underscored)) + "\n"));
    },
    sort(order) {
      const places: { start: number; bytes: number; order: number }[] = [];
      for (const { text, number, start, bytes } of linesOf(path, Infinity)) {
        places.push({ start, bytes, order: order(parsed<T>(path, number, text)) });
      }
      if (places.every((place, i) => i === 0 || places[i - 1].order <= place.order)) return;
      copyInOrder(path, places.sort((a, b) => a.order - b.order));
    },
    [Symbol.dispose]: () => file.close(),
  };
}

function open(path: string): Deno.FsFile {
  try {
    return openOwn(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `Cannot write ${path}: ${(error as Error).message}`,
      "choose another folder with --out",
    );
  }
}

/** Bytes up to and with the last line's end. */
function wholeLines(file: Deno.FsFile): number {
  const { size } = file.statSync();
  const buffer = new Uint8Array(PIECE);
  for (let end = size; end > 0; end -= PIECE) {
    const start = Math.max(0, end - PIECE);
    file.seekSync(start, Deno.SeekMode.Start);
    let read = 0;
    for (let count = 1; read < end - start && count; read += count) {
      count = file.readSync(buffer.subarray(read, end - start)) ?? 0;
    }
    const last = buffer.subarray(0, read).lastIndexOf(NEWLINE);
    if (last >= 0) return start + last + 1;
  }
  return 0;
}

interface Line {
  text: string;
  /** From 1. */
  number: number;
  start: number;
  /** Its end counted. */
  bytes: number;
}

/** The lines that begin below `limit`, a piece of the file at a time. */
function* linesOf(path: string, limit: number): Generator<Line> {
  using file = Deno.openSync(path);
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

function copyInOrder(path: string, places: readonly { start: number; bytes: number }[]): void {
  const { file: to, beside } = createBeside(path);
  {
    using from = Deno.openSync(path);
    using _ = to;
    for (const { start, bytes } of places) {
      const line = new Uint8Array(bytes);
      from.seekSync(start, Deno.SeekMode.Start);
      for (let at = 0; at < bytes;) at += from.readSync(line.subarray(at))!;
      writeAll(to, line);
    }
    to.syncSync();
  }
  Deno.renameSync(beside, path);
}

function parsed<T>(path: string, number: number, text: string): T {
  try {
    return renamed(JSON.parse(text), camel) as T;
  } catch {
    throw new UserError(
      `Cannot go on with ${path}: line ${number} is damaged, JSON is needed`,
      "remove the line, and its rollout is generated again",
    );
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** Keys of the object itself alone. */
const renamed = (data: object, name: (key: string) => string): object =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [name(key), value]));

const underscored = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (key: string) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
