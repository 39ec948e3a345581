import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createStopText } from "../../../cli/serve/stop_text.ts";

/** A text in pieces through stops: what is passed on piece by piece, and the end. */
function passed(pieces: readonly string[], stops: readonly string[]) {
  const stop = createStopText(stops);
  const parts = pieces.map((piece) => stop.push(piece));
  return { parts, text: parts.join("") + stop.end(), stopped: stop.stopped };
}

Deno.test("a text passes up to the first stop in it, however it is cut, and whole without one", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
    maxLength: 3,
  });
  fc.assert(fc.property(fc.array(text, { maxLength: 8 }), stops, (pieces, stops) => {
    const whole = pieces.join("");
    // The stop that is complete first, and of those that are then the one that begins first.
    const ends = stops.flatMap((stop) => whole.includes(stop) ? [whole.indexOf(stop) + stop.length] : []);
    const result = passed([...whole], stops);
    assertEquals(result.stopped, ends.length > 0);
    const first = Math.min(...ends);
    const begin = Math.min(
      ...stops.map((stop) => whole.slice(0, first).indexOf(stop)).filter((at) => at >= 0),
    );
    assertEquals(result.text, ends.length > 0 ? whole.slice(0, begin) : whole);
    if (stops.length === 1) assertEquals(passed(pieces, stops).text, result.text);
  }));
});

Deno.test("only what may become a stop is held back", () => {
  const { parts, text } = passed(["ab", "c", "x", "abc", "d"], ["abcd"]);
  assertEquals(parts, ["", "", "abcx", "", ""]);
  assertEquals(text, "abcx");
  assertEquals(passed(["abc"], ["abcd"]).text, "abc");
  assertEquals(passed(["abc"], []).parts, ["abc"]);
  // Of several that come at once the one that begins first.
  assertEquals(passed(["abcd"], ["d", "b", "cd"]).text, "a");
});
