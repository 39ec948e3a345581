/**
 * The few values that rollouts are chosen by, out of a line of JSON, without making anything of the rest: token ids, mixtures and texts are
 * most of a line, and a million lines have to be looked at.
 *
 * @module
 */

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Where a value begins and ends: a string with its quotes. */
export type TakeValue = (key: string, bytes: Uint8Array, start: number, end: number) => void;

/**
 * Walks over the keys of an object.
 *
 * @param keys that are asked for, written as they stand in the file
 * @returns whether the text is one whole object, as far as brackets, strings and commas tell
 */
export function scanRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  keys: KeyTable,
  take: TakeValue,
): boolean {
  let at = blanks(bytes, start, end);
  if (at >= end || bytes[at] !== OPEN_OBJECT) return false;
  at = blanks(bytes, at + 1, end);
  if (bytes[at] === CLOSE_OBJECT) return blanks(bytes, at + 1, end) === end;
  while (at < end) {
    if (bytes[at] !== QUOTE) return false;
    const keyEnd = stringEnd(bytes, at, end);
    if (keyEnd > end) return false;
    const key = keys.find(bytes, at + 1, keyEnd - 1);
    at = blanks(bytes, keyEnd, end);
    if (at >= end || bytes[at] !== COLON) return false;
    at = blanks(bytes, at + 1, end);
    const valueEnd = endOfValue(bytes, at, end);
    if (valueEnd <= at || valueEnd > end) return false;
    if (key !== undefined) take(key, bytes, at, valueEnd);
    at = blanks(bytes, valueEnd, end);
    if (at >= end) return false;
    if (bytes[at] === CLOSE_OBJECT) return blanks(bytes, at + 1, end) === end;
    if (bytes[at] !== COMMA) return false;
    at = blanks(bytes, at + 1, end);
  }
  return false;
}

/** Keys, found by their bytes. */
export interface KeyTable {
  find(bytes: Uint8Array, start: number, end: number): string | undefined;
}

/** A table of these keys. */
export function keyTable(keys: readonly string[]): KeyTable {
  const encoder = new TextEncoder();
  const byLength = Map.groupBy(
    keys.map((key) => ({ key, bytes: encoder.encode(key) })),
    ({ bytes }) => bytes.length,
  );
  const none: { key: string; bytes: Uint8Array }[] = [];
  return {
    find(bytes, start, end) {
      for (const one of byLength.get(end - start) ?? none) {
        let i = 0;
        while (i < one.bytes.length && one.bytes[i] === bytes[start + i]) i++;
        if (i === one.bytes.length) return one.key;
      }
      return undefined;
    },
  };
}

/** The first place that is no blank. */
function blanks(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0d)) at++;
  return at;
}

/** The place after a string that begins here; beyond `end` where it does not end. */
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) return i + 1;
    if (byte === BACKSLASH) i++;
    else if (byte < 0x20) return end + 1;
  }
  return end + 1;
}

/** The place after a value that begins here; beyond `end` where it does not end. */
function endOfValue(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at];
  if (first === QUOTE) return stringEnd(bytes, at, end);
  if (first === OPEN_ARRAY || first === OPEN_OBJECT) return endOfNested(bytes, at, end);
  let i = at;
  while (i < end && isWord(bytes[i])) i++;
  return i;
}

/** Letters, digits and signs: of a number, true, false, null. */
const isWord = (byte: number): boolean =>
  byte >= 0x30 && byte <= 0x39 || byte >= 0x61 && byte <= 0x7a || byte === 0x2e || byte === 0x2d ||
  byte === 0x2b || byte === 0x45;

/** Arrays and objects within each other that are followed: records have three. */
const DEEPEST = 30;

/** Brackets have to match, and a string has to be followed by what may follow one: where a line was cut and went on, it is not. */
function endOfNested(bytes: Uint8Array, at: number, end: number): number {
  let [depth, objects] = [0, 0]; // bit d of `objects`: what is open at depth d is an object
  for (let i = at; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = stringEnd(bytes, i, end) - 1;
      if (i + 1 >= end || !mayFollow(bytes[i + 1])) return end + 1;
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++depth > DEEPEST) return end + 1;
      objects = byte === OPEN_OBJECT ? objects | 1 << depth : objects & ~(1 << depth);
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      if ((objects >> depth & 1) !== (byte === CLOSE_OBJECT ? 1 : 0)) return end + 1;
      if (--depth === 0) return i + 1;
    }
  }
  return end + 1;
}

const mayFollow = (byte: number): boolean =>
  byte === COMMA || byte === COLON || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT || byte === 0x20 ||
  byte === 0x0d;

/** A number that stands in these bytes; NaN if none does. */
export function numberIn(bytes: Uint8Array, start: number, end: number): number {
  // Digits alone, as most are.
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i] - 0x30;
    if (digit < 0 || digit > 9 || end - start > 15) return Number(textIn(bytes, start, end));
    value = value * 10 + digit;
  }
  return value;
}

/** What stands in these bytes. */
export const textIn = (bytes: Uint8Array, start: number, end: number): string =>
  DECODER.decode(bytes.subarray(start, end));

const DECODER = new TextDecoder();

/** A hash of 53 bits of these bytes: two of FNV-1a side by side. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (let i = start; i < end; i++) {
    a = Math.imul(a ^ bytes[i], 0x01000193);
    b = Math.imul(b ^ bytes[i], 0x85ebca6b) ^ (b >>> 13);
  }
  return (a >>> 0) + (b >>> 11) * 2 ** 32;
}

/** The {@link hashOf} of a text, as JSON.stringify writes it between its quotes. */
export function hashOfText(text: string): number {
  const bytes = new TextEncoder().encode(JSON.stringify(text).slice(1, -1));
  return hashOf(bytes, 0, bytes.length);
}
