/** Values out of lines of JSON without parsing them, against JSON.parse. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  hashOf,
  hashOfText,
  keyTable,
  numberIn,
  scanRecord,
  textIn,
} from "../../../cli/view/index/scan_record.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What a scan finds of these keys, parsed; undefined where it says that the text is no object. */
function scanned(text: string, keys: readonly string[]): Record<string, unknown> | undefined {
  const bytes = encode(`xx${text}yy`);
  const found: [string, string][] = [];
  const isWhole = scanRecord(bytes, 2, bytes.length - 2, keyTable(keys), (key, bytes, start, end) => {
    found.push([key, textIn(bytes, start, end)]);
  });
  return isWhole ? Object.fromEntries(found.map(([key, value]) => [key, JSON.parse(value)])) : undefined;
}

const KEYS = ["step", "id", "reward", "mixtures", "nested"];
const record = fc.dictionary(
  fc.oneof(fc.constantFrom(...KEYS), fc.string({ unit: "binary" })),
  fc.jsonValue(),
);

Deno.test("a scan finds what JSON.parse finds, in records of any keys and values", () => {
  fc.assert(fc.property(record, (record) => {
    const expected = JSON.parse(JSON.stringify(record));
    const known = Object.entries(expected).filter(([key]) => KEYS.includes(key));
    assertEquals(scanned(JSON.stringify(record), KEYS), Object.fromEntries(known));
    assert(scanned(JSON.stringify(record, null, 1).replaceAll("\n", "\r"), KEYS) !== undefined);
  }));
});

Deno.test("no part of a record that was cut off is a record", () => {
  fc.assert(fc.property(record, fc.nat(), (record, at) => {
    const text = JSON.stringify(record);
    assertEquals(scanned(text.slice(0, at % text.length), KEYS), undefined);
  }));
});

Deno.test("a kept rollout that was cut off anywhere, with another one behind it in the line, is none", () => {
  const kept = {
    ...{
      version: 2,
      step: 7,
      id: "sums-1",
      question: 'Ann says "{[" \\ and goes.',
      reward: 100,
      equal: false,
    },
    ...{ rule: null, thinking_tokens: [1, 2], mixtures: [[[1, 0.5], [2, 0.25]], [[3, 1]]] },
    pieces: { 1: " a", 2: '{"', 3: "]}" },
  };
  const text = JSON.stringify(kept);
  for (let at = 1; at < text.length; at++) {
    assertEquals(scanned(text.slice(0, at) + text, KEYS), undefined, text.slice(0, at));
  }
  assertEquals(scanned(text + text, KEYS), undefined);
  assertEquals(scanned(text, ["mixtures", "rule"]), { mixtures: kept.mixtures, rule: null });
});

Deno.test("what is no object is none", () => {
  for (
    const text of ["", "[]", "1", '"a"', "{", "}", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1 "b":2}', '{"a":1}}']
  ) {
    assertEquals(scanned(text, KEYS), undefined, text);
  }
  assertEquals(scanned("{}", KEYS), {});
});

Deno.test("numbers are read as JSON has them, and texts hash alike where they are alike", () => {
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
    const bytes = encode(JSON.stringify(value));
    assertEquals(numberIn(bytes, 0, bytes.length), JSON.parse(JSON.stringify(value)));
  }));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const bytes = encode(JSON.stringify(text));
    assertEquals(hashOf(bytes, 1, bytes.length - 1), hashOfText(text));
    assert(Number.isSafeInteger(hashOfText(text)));
    assert(hashOfText(`${text}.`) !== hashOfText(text));
  }));
});
