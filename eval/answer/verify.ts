/**
 * Is this answer equivalent to the gold answer? Rule-based, reproducible, and able to say why. Verdicts come from rules
 * and counted budgets (budget.ts); the clock is the last guard and never decides what a budget can.
 */
import { MAX_CHARS, MAX_STEPS, TooLarge } from "./budget.ts";
import { compare } from "./compare/compare.ts";
import type { Context } from "./compare/context.ts";
import { type Precision, tolerancesOf } from "./compare/tolerance.ts";
import type { Extracted } from "./extract/extracted.ts";
import { extractAnswer, type Extraction, goldParts, replyParts } from "./extract_answer.ts";
import { guarded } from "./guarded.ts";
import { format, type Node } from "./node.ts";
import { isRounding } from "./is_rounding.ts";
import { withConditions } from "./parse/conditions.ts";
import { lex } from "./parse/lex.ts";
import { parseTokens } from "./parse/parse.ts";
import { ParseFailure, type Token, tokenText } from "./parse/token.ts";
import { plainCharacters } from "./plain_characters.ts";
import { equalRationals, formatRational, parseDecimal, type Rational, renewLongWork } from "./rational.ts";
import { withNamesOf } from "./parameters.ts";
import { understand } from "./understand.ts";

/** How to judge. What a task does not ask for is left out: exact, strict, no extraction. */
export interface VerifyOptions {
  /** names of variables count (default true); false lets `f(y)` stand for `f(x)` */
  strict?: boolean;
  /** an integer from 0 to 20: so many decimals; else absolute tolerances (see {@linkcode tolerancesOf}) */
  precision?: Precision;
  /** a predicted relation (`-2 <= x <= 7`) may stand for a gold interval */
  allowSetRelation?: boolean;
  /** where to look for the answer in the text (default `none`: the text is the answer) */
  extract?: Extraction;
  /** `50\%` may also stand for bare 50 (gsm8k, math, deepscaler) */
  percent?: boolean;
  /** `204_5` may also stand for bare 204 */
  bases?: boolean;
  /** seconds until the last guard stops the work (default 2; 0.2 in training) */
  timeLimit?: number;
}

/** A verdict and its reason. */
export interface Verdict {
  /** whether the answer is right */
  equal: boolean;
  /** the rule that decided */
  rule: string;
  /** both sides as understood; null where no answer was found */
  gold: string;
  /** the judged side, likewise */
  answer: string | null;
  /** more about what differs */
  detail?: string;
}

/** An answer as the rules see it. */
export interface ParsedAnswer {
  /** spelling without looks and spacing: two answers with the same one are identical text */
  normalized: string;
  /** null where the rules cannot read it: it is then compared as text alone */
  node: Node | null;
}

const PLAIN_NUMBER = /^[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?$/;

/** A decimal or integer in the commonest spelling, exactly; null for everything else. */
function plainNumber(text: string): Rational | null {
  return PLAIN_NUMBER.test(text) ? parseDecimal(text.replaceAll(",", "")) : null;
}

/**
 * Reads an answer. Never throws on account of the text.
 *
 * @param plain true for text outside of maths, where `1,5` is a decimal and `5 m` five metres
 */
export function parseAnswer(text: string, plain = false): ParsedAnswer {
  if (text.length > MAX_CHARS) return { normalized: text.trim(), node: null };
  let normalized = text.trim();
  renewLongWork();
  try {
    const tokens: Token[] = lex(plainCharacters(text), plain);
    normalized = tokenText(tokens);
    return { normalized, node: parseTokens(withConditions(tokens)) };
  } catch (error) {
    if (error instanceof ParseFailure || error instanceof TooLarge || error instanceof RangeError) {
      return { normalized, node: null };
    }
    throw error;
  }
}

/**
 * Judges an answer against a gold answer, or against several of which any one will do.
 *
 * Plain numbers are judged at once. Expressions may load `@cortex-js/compute-engine`, the first time only: call
 * `loadEngine()` before, where 0.3 s matter.
 *
 * @param gold the right answer, or answers of which one must match
 * @param answer what is to be judged: an answer, or with `extract` a reply that holds one
 * @returns the verdict; it depends on the arguments alone, unless its rule is `time`
 */
export function verify(gold: string | string[], answer: string, options: VerifyOptions = {}): Verdict {
  const golds = typeof gold === "string" ? [gold] : gold;
  let verdict: Verdict = { equal: false, rule: "no gold answer", gold: "", answer };
  for (const one of golds) {
    verdict = verifyOne(one, answer, options);
    if (verdict.equal) return verdict;
  }
  return verdict;
}

function verifyOne(gold: string, reply: string, options: VerifyOptions): Verdict {
  const how = options.extract ?? "none";
  [gold, reply] = [plainCharacters(gold), plainCharacters(reply)];
  const parts = goldParts(gold, how);
  if (parts) return verifyParts(parts, gold, reply, options);
  const a = how === "none"
    ? { text: gold, plain: false }
    : extractAnswer(gold, how) ?? { text: gold, plain: false };
  const b = extractAnswer(reply, how);
  if (b?.rounded === undefined) return verifyExtracted(a, b, options);
  // Two boxes of which one rounds the other are one answer; else the last one is it.
  const last = verifyExtracted(a, { text: b.rounded, plain: false }, options);
  const [exact, about] = [parseAnswer(b.text).node, parseAnswer(b.rounded).node];
  return last.equal || !exact || !about || !isRounding(exact, about) ? last : verifyExtracted(a, b, options);
}

/** A gold answer of several values, each of which must be there, in their order. */
function verifyParts(parts: Extracted[], gold: string, reply: string, options: VerifyOptions): Verdict {
  if (gold.trim() === reply.trim()) return { equal: true, rule: "identical text", gold, answer: reply };
  const how = options.extract ?? "none";
  const answers = replyParts(reply, how, parts.length);
  if (!answers) {
    const all = `(${parts.map(({ text }) => `{${text}}`).join(", ")})`;
    return verifyExtracted({ text: all, plain: false }, extractAnswer(reply, how), options);
  }
  const found = parts.map((part, k) => verifyExtracted(part, answers[k], options));
  const wrong = found.findIndex(({ equal }) => !equal);
  const sides = {
    gold: found.map((v) => v.gold).join("; "),
    answer: found.map((v) => v.answer ?? "").join("; "),
  };
  if (wrong < 0) return { equal: true, rule: "every part", ...sides };
  return { equal: false, rule: `part ${wrong + 1} differs`, detail: found[wrong].rule, ...sides };
}

/** Compares what was found. */
function verifyExtracted(a: Extracted, b: Extracted | null, options: VerifyOptions): Verdict {
  renewLongWork();
  const goldText = a.text.trim();
  if (goldText === "") return { equal: false, rule: "no gold answer", gold: "", answer: b?.text ?? null };
  if (!b || b.text.trim() === "") {
    return { equal: false, rule: "no answer found", gold: goldText, answer: null };
  }
  const text = b.text.trim();
  if (goldText === text) return { equal: true, rule: "identical text", gold: goldText, answer: text };
  const x = plainNumber(goldText);
  const y = plainNumber(text);
  if (x && y && options.precision === undefined) {
    return {
      equal: equalRationals(x, y),
      rule: "exact numbers",
      gold: formatRational(x),
      answer: formatRational(y),
    };
  }
  return judge(parseAnswer(goldText, a.plain), parseAnswer(text, b.plain), goldText, text, options);
}

function judge(
  a: ParsedAnswer,
  b: ParsedAnswer,
  goldText: string,
  text: string,
  options: VerifyOptions,
): Verdict {
  const sides = {
    gold: a.node ? format(a.node) : a.normalized,
    answer: b.node ? format(b.node) : b.normalized,
  };
  if (a.normalized === b.normalized && a.normalized !== "") {
    return { equal: true, rule: "identical text", ...sides };
  }
  if (goldText.length > MAX_CHARS || text.length > MAX_CHARS) {
    return { equal: false, rule: "too large to decide", ...sides };
  }
  if (!a.node || !b.node) return { equal: false, rule: "different text", ...sides };
  const [gold, answer] = [a.node, b.node];
  const found = guarded(() => {
    const context = contextOf(options);
    const right = understand(gold, { ...context, side: "gold" });
    const said = understand(answer, { ...context, named: right.kind === "relation" });
    const verdict = compare(right, said, context);
    const renamed = verdict.equal ? null : withNamesOf(right, said);
    return renamed ? compare(right, renamed, context) : verdict;
  }, options.timeLimit ?? 2);
  return { ...found, ...sides };
}

function contextOf(options: VerifyOptions): Context {
  return {
    steps: { left: MAX_STEPS },
    percent: options.percent === true,
    bases: options.bases === true,
    strict: options.strict !== false,
    allowSetRelation: options.allowSetRelation === true,
    tolerances: tolerancesOf(options.precision),
    tolerance: 0,
    side: "answer",
    named: false,
    compare,
  };
}
