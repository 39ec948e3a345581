import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { plainToken, visibleParts, visibleToken } from "../../web/thought/visible_text.ts";

const shown = (text: string) => visibleParts(text).map(({ text }) => text).join("");

Deno.test("characters that are not seen, or that turn others, are shown by their numbers", () => {
  assertEquals(shown("a\u0000b\u001b[31mc"), "a⟨U+0000⟩b⟨U+001B⟩[31mc");
  assertEquals(shown("\u202Egnp.exe"), "⟨U+202E⟩gnp.exe");
  assertEquals(shown("\u2066x\u2069\u200b\ufeff\u2028"), "⟨U+2066⟩x⟨U+2069⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+2028⟩");
  assertEquals(shown("\ud800"), "⟨U+D800⟩");
  assertEquals(shown("\u{e0041}"), "⟨U+E0041⟩");
});

Deno.test("lines, tabs, other scripts, joined emoji and half-read characters stay as they are", () => {
  for (const text of ["one\n\ttwo", "שלום مرحبا", "नमस्ते", "👩‍🚀 café", "\ufffd"]) {
    assertEquals(shown(text), text);
  }
});

Deno.test("whatever a text holds, no character is lost, and nothing that is unseen is left", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const parts = visibleParts(text);
    const back = parts.map(({ text, sign }) =>
      sign ? String.fromCodePoint(parseInt(sign.slice(2), 16)) : text
    );
    assertEquals(back.join(""), text);
    const kept = parts.filter(({ sign }) => sign === null).map(({ text }) => text).join("");
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/.test(kept));
  }));
});

Deno.test("a token stands on one line, its outer spaces, line ends and tabs as signs", () => {
  const token = (text: string) => visibleToken(text).map(({ text }) => text).join("");
  assertEquals(token("  The final "), "··The final·");
  assertEquals(token("\n\tx"), "↵→x");
  assertEquals(token(" "), "·");
  assertEquals(plainToken(' "a"\u0007'), '" \\"a\\"<U+0007>"');
});
