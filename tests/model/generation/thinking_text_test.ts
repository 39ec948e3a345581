import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";
import {
  detectAnswer,
  detectTrigger,
  FORCED_TEXTS,
  forcedAfter,
  generatedText,
  thinkingRules,
  TRIGGER,
} from "../../../model/generation/thinking_text.ts";
import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";

/** A tokenizer whose tokens are given as texts; the first is the end token. */
function tokenizerOf(texts: string[], contextFree = true): Tokenizer {
  const utf8 = new TextEncoder();
  const text = (id: number) => (id === 0 ? "" : texts[id]);
  return {
    encode: (whole) => Array.from(whole, (c) => texts.indexOf(c)),
    decode: (ids) => Array.from(ids, text).join(""),
    tokenText: text,
    tokenBytes: contextFree ? (id) => utf8.encode(text(id)) : undefined,
    idOf: (token) => texts.indexOf(token),
    specialTokens: [],
    size: texts.length,
    files: { "tokenizer.json": "" },
  };
}

const TOKENS = [
  "<end>",
  "The final",
  " answer",
  " is",
  ":",
  ":\n",
  " is:**",
  "x",
  " ",
  "}.",
  "{",
  "\\",
  "}",
  "2",
];
const id = (text: string) => TOKENS.indexOf(text);
const LIMITS = { maxThinking: 6, maxAnswer: 5, endTokenIds: [0] };

function think(ids: number[], limits = LIMITS, contextFree = true) {
  const tokenizer = tokenizerOf(TOKENS, contextFree);
  const detector = detectTrigger(tokenizer, thinkingRules(tokenizer, limits));
  const seen = ids.map((token) => detector.push(token));
  return { seen, ended: detector.ended, steps: detector.steps, forced: detector.forced };
}

for (const contextFree of [true, false]) {
  const kind = contextFree ? "tokens of fixed text" : "tokens decoded together";
  Deno.test(`trigger over several tokens ends thinking with the one that completes it (${kind})`, () => {
    const ids = ["x", "The final", " answer", " is", ":", "x"].map(id);
    const { seen, ...state } = think(ids, LIMITS, contextFree);
    assertEquals(seen, [null, null, null, null, "trigger", "trigger"]);
    assertEquals(state, { ended: "trigger", steps: 5, forced: "box" });
  });

  Deno.test(`the completing token may carry more (${kind})`, () => {
    const stars = think(["The final", " answer", " is:**"].map(id), LIMITS, contextFree);
    assertEquals([stars.ended, stars.steps, stars.forced], ["trigger", 3, "box"]);
    const lineBreak = think(["The final", " answer", " is", ":\n"].map(id), LIMITS, contextFree);
    assertEquals([lineBreak.ended, lineBreak.forced], ["trigger", "boxAfterSpace"]);
  });

  Deno.test(`a trigger at exactly the limit counts as seen (${kind})`, () => {
    const ids = ["x", "x", "The final", " answer", " is", ":"].map(id);
    assertEquals(think(ids, LIMITS, contextFree).ended, "trigger");
    const short = think(ids, { ...LIMITS, maxThinking: 5 }, contextFree);
    assertEquals([short.ended, short.steps, short.forced], ["limit", 5, "triggerAndBox"]);
  });
}

Deno.test("an end token ends thinking, also on the last step, and breaks no rule of the limit", () => {
  const early = think([id("x"), 0, id("x")]);
  assertEquals([early.ended, early.steps, early.forced], ["end-token", 2, "triggerAndBox"]);
  const last = think([...Array(5).fill(id("x")), 0]);
  assertEquals([last.ended, last.steps], ["end-token", 6]);
  const two = think([id("x"), id("2")], { ...LIMITS, endTokenIds: [0, id("2")] });
  assertEquals(two.ended, "end-token");
});

Deno.test("no thinking at all: the trigger and the box are forced", () => {
  const state = think([], { ...LIMITS, maxThinking: 0 });
  assertEquals([state.ended, state.steps, state.forced], ["limit", 0, "triggerAndBox"]);
});

Deno.test("forced text by how thinking ended", () => {
  assertEquals(forcedAfter("trigger", TRIGGER), "box");
  assertEquals(forcedAfter("trigger", TRIGGER + "\n"), "boxAfterSpace");
  assertEquals(forcedAfter("limit", "and "), "triggerAndBox");
  assertEquals(forcedAfter("end-token", TRIGGER.slice(1)), "triggerAndBox");
});

Deno.test("forced texts are tokenised alone, and the embedded tokenizer writes them", () => {
  const tokenizer = builtinTokenizer();
  const rules = thinkingRules(tokenizer, { maxThinking: 48, maxAnswer: 5, endTokenIds: [0] });
  for (const [kind, text] of Object.entries(FORCED_TEXTS)) {
    assertEquals(tokenizer.decode(rules.forcedIds[kind as keyof typeof FORCED_TEXTS]), text);
  }
  assertEquals(rules.forcedIds.box.length, 1);
  assertEquals(rules.forcedIds.triggerAndBox.length, 5);
  const detector = detectTrigger(tokenizer, rules);
  const ids = tokenizer.encode(" 10 * 2 = 20. The final answer is: \\boxed{20}");
  assertEquals(ids.map((token) => detector.push(token)).indexOf("trigger"), 11);
  assertEquals([detector.steps, detector.forced], [12, "box"]);
});

function answer(texts: string[], limits = LIMITS) {
  const tokenizer = tokenizerOf(TOKENS);
  const detector = detectAnswer(tokenizer, thinkingRules(tokenizer, limits));
  for (const text of texts) detector.push(id(text));
  return [detector.ended, detector.steps];
}

Deno.test("an answer ends at the brace that closes the forced one", () => {
  assertEquals(answer(["2", "}", "2"]), ["brace", 2]);
  assertEquals(answer(["2", "}."]), ["brace", 2]);
  assertEquals(answer(["{", "2", "}"]), [null, 3]);
  assertEquals(answer(["{", "2", "}", "}."]), ["brace", 4]);
  assertEquals(answer(["\\", "}", "2", "}"]), ["brace", 4]);
  assertEquals(answer(["\\", "\\", "}"]), ["brace", 3]);
});

Deno.test("an answer ends at an end token or at its limit", () => {
  assertEquals(answer(["2", "<end>", "}"]), ["end-token", 2]);
  assertEquals(answer(["2", "2", "2", "2", "2", "}"]), ["limit", 5]);
  assertEquals(answer(["2", "2", "2", "2", "}"]), ["brace", 5]);
});

Deno.test("generated text leaves out the end token and what follows", () => {
  const tokenizer = tokenizerOf(TOKENS);
  const rules = thinkingRules(tokenizer, { ...LIMITS, endTokenIds: [id("x")] });
  assertEquals(generatedText(tokenizer, ["2", "2", "x", "2"].map(id), rules), "22");
  assertEquals(generatedText(tokenizer, [], rules), "");
});

Deno.test("limits out of range are refused", () => {
  const tokenizer = tokenizerOf(TOKENS);
  assertThrows(() => thinkingRules(tokenizer, { ...LIMITS, maxThinking: -1 }), UserError, "at least 0");
  assertThrows(() => thinkingRules(tokenizer, { ...LIMITS, maxAnswer: 0 }), UserError, "at least 1");
});
