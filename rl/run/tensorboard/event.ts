/**
 * Events of TensorBoard in the wire format of protocol buffers: as much of tensorflow.Event, Summary and the hyperparameters' plugin data as is
 * written here.
 *
 * @module
 */

import { joinedBytes } from "../../../gpu/joined_bytes.ts";

/** A field: number and kind (0 varint, 1 eight bytes, 2 bytes, 5 four bytes), then what it holds. */
type Part = Uint8Array;

const UTF8 = new TextEncoder();

function varint(value: number): Part {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(rest % 128 | 128);
  return Uint8Array.from([...bytes, rest]);
}

const key = (field: number, kind: number): Part => varint(field * 8 + kind);
const integer = (field: number, value: number): Part => joinedBytes([key(field, 0), varint(value)]);
const bytes = (field: number, ...parts: Part[]): Part => {
  const inner = joinedBytes(parts);
  return joinedBytes([key(field, 2), varint(inner.length), inner]);
};
const string = (field: number, text: string): Part => bytes(field, UTF8.encode(text));
const double = (field: number, value: number): Part =>
  joinedBytes([key(field, 1), new Uint8Array(Float64Array.of(value).buffer)]);
const float = (field: number, value: number): Part =>
  joinedBytes([key(field, 5), new Uint8Array(Float32Array.of(value).buffer)]);

const event = (wallTime: number, step: number, what: Part): Uint8Array =>
  joinedBytes([double(1, wallTime), integer(2, step), what]);

/** The first event of a file. @param wallTime seconds since 1970, here and below */
export const versionEvent = (wallTime: number): Uint8Array => event(wallTime, 0, string(3, "brain.Event:2"));

/** From here on updates from `step` on are told, once more where they were told before: readers drop what they have of these, but at a run's first such event. */
export const startEvent = (wallTime: number, step: number): Uint8Array =>
  event(wallTime, step, bytes(7, integer(1, 1)));

/** Numbers of one update by their tags. */
export const scalarsEvent = (
  wallTime: number,
  step: number,
  values: readonly (readonly [tag: string, value: number])[],
): Uint8Array =>
  event(wallTime, step, bytes(5, ...values.map(([tag, value]) => bytes(1, string(1, tag), float(2, value)))));

/** Texts of one update, a row each, in Markdown. */
export function textEvent(
  wallTime: number,
  step: number,
  tag: string,
  texts: readonly string[],
): Uint8Array {
  const [DT_STRING, shape] = [7, bytes(2, bytes(2, integer(1, texts.length)))];
  const tensor = bytes(8, integer(1, DT_STRING), shape, ...texts.map((text) => string(8, text)));
  return event(wallTime, step, bytes(5, bytes(1, string(1, tag), tensor, pluginData("text"))));
}

/** What a run is made with, for the table of hyperparameters. */
export function settingsEvent(
  wallTime: number,
  settings: Readonly<Record<string, string | number | boolean>>,
): Uint8Array {
  const entries = Object.entries(settings).map(([name, value]) =>
    bytes(1, string(1, name), bytes(2, valueOf(value)))
  );
  const info = bytes(3, ...entries, double(5, wallTime));
  const [DT_FLOAT, none] = [1, bytes(2, bytes(2, integer(1, 0)))];
  const tensor = bytes(8, integer(1, DT_FLOAT), none);
  const summary = bytes(1, string(1, "_hparams_/session_start_info"), tensor, pluginData("hparams", info));
  return event(wallTime, 0, bytes(5, summary));
}

const pluginData = (name: string, content: Part = new Uint8Array(0)): Part =>
  bytes(9, bytes(1, string(1, name), bytes(2, content)));

function valueOf(value: string | number | boolean): Part {
  if (typeof value === "number") return double(2, value);
  return typeof value === "boolean" ? integer(4, value ? 1 : 0) : string(3, value);
}

/** The update of an event as it is written here: eight bytes of time, then the step. */
export function stepOfEvent(data: Uint8Array): number {
  if (data[9] !== 2 * 8) return 0;
  let [step, scale] = [0, 1];
  for (let at = 10; at < data.length; at++, scale *= 128) {
    step += (data[at] & 127) * scale;
    if (data[at] < 128) break;
  }
  return step;
}
