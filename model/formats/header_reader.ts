import type { UserError } from "../../gpu/errors.ts";
import type { RandomAccess } from "./random_access.ts";

/** Makes the error that says what is wrong with a file. */
export type Refuse = (what: string, hint?: string) => UserError;

/** Reads little-endian values one after the other, and never past the end of the file. */
export interface HeaderReader {
  u8(): number;
  u16(): number;
  u32(): number;
  u64(): bigint;
  f32(): number;
  f64(): number;
  /** A u64 that is to be a whole number below 2^53. */
  whole(what: string): number;
  /** A u64 that counts things of at least `least` bytes each: no more than the file has room for, or than `most`. */
  count(what: string, least: number, most: number): number;
  /** A u64 of length and as many bytes of UTF-8. */
  text(what: string, most?: number): string;
  /** The next bytes; overwritten by later reads. */
  bytes(length: number): Uint8Array;
  /** Bytes read so far. */
  position(): number;
}

const WINDOW = 2 ** 20;
/** Longer than any chat template. */
const MOST_TEXT_BYTES = 2 ** 25;

/** Reads a file's header through a window that moves forward. */
export function headerReader(file: RandomAccess, refuse: Refuse): HeaderReader {
  let window = new Uint8Array(Math.min(WINDOW, file.size));
  let view = new DataView(window.buffer);
  let [begin, filled, at] = [0, 0, 0]; // of the window in the file; bytes in it; the next of them
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  const position = () => begin + at;
  const left = () => file.size - position();
  /** Brings `length` bytes into the window and returns where they begin there. */
  const take = (length: number): number => {
    if (length > left()) throw refuse(`it ends at byte ${file.size} within its header`);
    if (at + length > filled) {
      begin += at;
      at = 0;
      if (length > window.length) {
        window = new Uint8Array(length);
        view = new DataView(window.buffer);
      }
      filled = Math.min(window.length, file.size - begin);
      file.read(begin, window.subarray(0, filled));
    }
    at += length;
    return at - length;
  };
  const u64 = () => view.getBigUint64(take(8), true);
  const count = (what: string, least: number, most: number): number => {
    const value = u64();
    const room = Math.min(most, Math.floor(left() / least));
    if (value <= BigInt(room)) return Number(value);
    throw refuse(`it is said to have ${value} ${what}, there is room for ${room}`);
  };
  const text = (what: string, most = MOST_TEXT_BYTES): string => {
    const length = u64();
    const room = Math.min(most, left());
    if (length > BigInt(room)) {
      throw refuse(`${what} is said to have ${length} bytes, there is room for ${room}`);
    }
    const from = take(Number(length));
    try {
      return asciiText(window, from, from + Number(length)) ??
        utf8.decode(window.subarray(from, from + Number(length)));
    } catch {
      throw refuse(`${what}, at byte ${begin + from}, is not UTF-8`);
    }
  };
  return {
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    u64,
    f32: () => view.getFloat32(take(4), true),
    f64: () => view.getFloat64(take(8), true),
    whole(what) {
      const value = u64();
      if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
      throw refuse(`${what} is ${value}, less than 2^53 is needed`);
    },
    count,
    text,
    bytes: (length) => {
      const from = take(length);
      return window.subarray(from, from + length);
    },
    position,
  };
}

/** Most tokens and merges are a few letters: calling the decoder for each takes ten times as long. */
function asciiText(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (to - from > 24) return undefined;
  let text = "";
  for (let i = from; i < to; i++) {
    if (bytes[i] >= 128) return undefined;
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}
