import { UserError } from "../../gpu/errors.ts";
import { keepParts, linesOf } from "../../model/files/lines_of.ts";
import { openOwn } from "../../model/files/own_file.ts";

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
      for (const { text, number, start, bytes } of linesOf(path)) {
        places.push({ start, bytes, order: order(parsed<T>(path, number, text)) });
      }
      if (places.every((place, i) => i === 0 || places[i - 1].order <= place.order)) return;
      keepParts(path, places.sort((a, b) => a.order - b.order));
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
