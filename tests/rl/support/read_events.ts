/** A reader of TensorBoard's events that shares nothing with the writer: records with their checks, protocol buffers field by field. */
import { assert, assertEquals } from "@std/assert";

/** CRC-32C, bit by bit. */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const odd = (crc ^ byte >> bit) & 1;
      crc = crc >>> 1 ^ (odd ? 0x82F63B78 : 0);
    }
  }
  return ~crc >>> 0;
}

const masked = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes);
  return Number((BigInt(crc >>> 15) + (BigInt(crc & 0x7FFF) << 17n) + 0xA282EAD8n) & 0xFFFFFFFFn);
};

/** Fields by their numbers; each may come several times. */
type Message = Map<number, (bigint | Uint8Array)[]>;

function decoded(bytes: Uint8Array): Message {
  const message: Message = new Map();
  let at = 0;
  const varint = () => {
    let [value, shift] = [0n, 0n];
    for (;; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (count: number) => bytes.slice(at, at += count);
  while (at < bytes.length) {
    const key = varint();
    const kind = Number(key & 7n);
    const value = kind === 0 ? varint() : take({ 1: 8, 2: kind === 2 ? Number(varint()) : 0, 5: 4 }[kind]!);
    const field = Number(key >> 3n);
    message.set(field, [...message.get(field) ?? [], value]);
  }
  assertEquals(at, bytes.length);
  return message;
}

const inner = (message: Message, field: number): Message[] =>
  (message.get(field) ?? []).map((bytes) => decoded(bytes as Uint8Array));
const textOf = (message: Message, field: number): string | undefined => {
  const [bytes] = message.get(field) ?? [];
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes as Uint8Array);
};
const view = (bytes: bigint | Uint8Array) => new DataView((bytes as Uint8Array).buffer);

/** An event as far as it is told here. */
export interface ReadEvent {
  time: number;
  step: number;
  version?: string;
  /** A session begins: what is known of this step and later ones is out of date. */
  starts: boolean;
  scalars: Record<string, number>;
  texts: Record<string, string[]>;
  /** Hyperparameters. */
  settings?: Record<string, string | number | boolean>;
}

/** All events of a file, whose every check holds. */
export function readEvents(path: string): ReadEvent[] {
  const file = Deno.readFileSync(path);
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length;) {
    const head = new DataView(file.buffer, at, 12);
    const length = Number(head.getBigUint64(0, true));
    assertEquals(head.getUint32(8, true), masked(file.subarray(at, at + 8)), "check of a length");
    const data = file.subarray(at + 12, at + 12 + length);
    const check = new DataView(file.buffer, at + 12 + length, 4).getUint32(0, true);
    assertEquals(check, masked(data), "check of an event");
    events.push(eventOf(decoded(data)));
    at += 16 + length;
  }
  return events;
}

function eventOf(message: Message): ReadEvent {
  const event: ReadEvent = {
    time: view(message.get(1)![0]).getFloat64(0, true),
    step: Number(message.get(2)?.[0] ?? 0n),
    version: textOf(message, 3),
    starts: inner(message, 7).some((session) => session.get(1)?.[0] === 1n),
    ...{ scalars: {}, texts: {} },
  };
  for (const value of inner(message, 5).flatMap((summary) => inner(summary, 1))) {
    const tag = textOf(value, 1)!;
    if (value.has(2)) {
      assert(!(tag in event.scalars), `${tag} twice`);
      event.scalars[tag] = view(value.get(2)![0]).getFloat32(0, true);
      continue;
    }
    const [plugin] = inner(inner(value, 9)[0], 1);
    const [tensor] = inner(value, 8);
    if (textOf(plugin, 1) === "text") {
      assertEquals(tensor.get(1), [7n], "a tensor of strings");
      const sizes = inner(tensor, 2).flatMap((shape) => inner(shape, 2)).map((size) => size.get(1)![0]);
      const strings = (tensor.get(8) ?? []).map((bytes) => new TextDecoder().decode(bytes as Uint8Array));
      assertEquals(sizes, [BigInt(strings.length)]);
      event.texts[tag] = strings;
    } else event.settings = settingsOf(decoded(plugin.get(2)![0] as Uint8Array));
  }
  return event;
}

function settingsOf(plugin: Message): NonNullable<ReadEvent["settings"]> {
  const entries = inner(inner(plugin, 3)[0], 1).map((entry) => {
    const [value] = inner(entry, 2);
    const number = value.get(2)?.[0];
    const told = number ? view(number).getFloat64(0, true) : textOf(value, 3) ?? value.get(4)?.[0] === 1n;
    return [textOf(entry, 1)!, told] as const;
  });
  return Object.fromEntries(entries);
}
