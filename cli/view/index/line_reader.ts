/** Bytes that are read at once. */
const PIECE = 1 << 20;
/** Bytes of the longest line that is looked at. */
export const MOST_LINE = 16 * 2 ** 20;
const NEWLINE = 10;

/** Takes a line: the bytes from `start` up to `end`, its line feed apart, which lie at `offset` of the file. */
export type TakeLine = (bytes: Uint8Array, start: number, end: number, offset: number) => void;

/** Reads the whole lines of a file that grows, a piece at a time. */
export interface LineReader {
  /** Where the first line that was not read yet begins. */
  readonly at: number;
  /**
   * Reads one more piece; lines longer than {@link MOST_LINE} go to `tooLong` alone.
   * @returns whether there was anything to read
   */
  read(file: Deno.FsFile, take: TakeLine, tooLong: () => void): boolean;
}

/** A reader that begins at a place where a line does. What it gives to `take` is overwritten by the next piece. */
export function lineReader(from: number): LineReader {
  let start = from;
  let data = new Uint8Array(0);
  // Bytes at the beginning of `data` that no line feed has followed yet.
  let held = 0;
  let isTooLong = false;
  return {
    get at() {
      return start;
    },
    read(file, take, tooLong) {
      const there = Math.min(PIECE, file.statSync().size - start - held);
      if (there <= 0) {
        // Nothing may come for long, and readers are many.
        data = data.slice(0, held);
        return false;
      }
      if (data.length < held + there) data = grown(data, held, there);
      file.seekSync(start + held, Deno.SeekMode.Start);
      const count = file.readSync(data.subarray(held, held + there)) ?? 0;
      const end = held + count;
      let at = 0;
      for (let newline = find(data, held, end); newline >= 0; newline = find(data, at, end)) {
        if (isTooLong) tooLong();
        else take(data, at, newline, start + at);
        isTooLong = false;
        at = newline + 1;
      }
      data.copyWithin(0, at, end);
      [start, held] = [start + at, end - at];
      if (held > MOST_LINE) {
        isTooLong = true;
        [start, held, data] = [start + held, 0, new Uint8Array(0)];
      }
      return true;
    },
  };
}

/** With room for so many bytes behind those that are held, and as many again where they are many. */
function grown(data: Uint8Array<ArrayBuffer>, held: number, more: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(held + (more === PIECE ? 2 * PIECE : more));
  larger.set(data.subarray(0, held));
  return larger;
}

function find(data: Uint8Array, from: number, end: number): number {
  const found = data.indexOf(NEWLINE, from);
  return found < end ? found : -1;
}

/** Reads so many bytes from a place of a file; fewer where it ends. */
export const readAt = (file: Deno.FsFile, offset: number, length: number): Uint8Array<ArrayBuffer> =>
  readInto(new Uint8Array(length), file, offset);

/** Fills bytes from a place of a file, and returns those that were filled. */
export function readInto(
  bytes: Uint8Array<ArrayBuffer>,
  file: Deno.FsFile,
  offset: number,
): Uint8Array<ArrayBuffer> {
  file.seekSync(offset, Deno.SeekMode.Start);
  let at = 0;
  for (let count = 1; at < bytes.length && count > 0;) at += count = file.readSync(bytes.subarray(at)) ?? 0;
  return bytes.subarray(0, at);
}
