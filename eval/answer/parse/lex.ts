/** Text of an answer into tokens. Spacing, looks and aliases end here: equal token texts are "identical text". */
import { levelCharacters } from "../plain_characters.ts";
import { lexCommand } from "./lex_command.ts";
import { lexNumber } from "./lex_number.ts";
import { noGap, push, type Reader, type Token } from "./token.ts";
import { bareUnit, canonicalWord, isAmbiguousUnit, isKnownUnit, isPercentWord } from "./units.ts";
import { FUNCTIONS, GREEK, isCommandName, UNICODE } from "./vocabulary.ts";

/**
 * Splits an answer into tokens.
 *
 * @param plain true for plain text, where `1,5` is a decimal and `5 m` five metres; in maths both are something else
 */
export function lex(text: string, plain = false, upright = false): Token[] {
  const reader: Reader = {
    text: prepare(text),
    at: 0,
    tokens: [],
    spaced: false,
    gap: noGap(),
    depth: 0,
    plain,
    upright,
    lex,
  };
  while (reader.at < reader.text.length) step(reader);
  return words(trimEnd(reader.tokens));
}

/** Rewrites single characters and doubled backslashes before the tokens are read. */
function prepare(text: string): string {
  let s = !/[\u0080-\uffff]/.test(text) ? text : withoutUnicode(text);
  if (s.includes("\\\\")) s = escapedOnce(s);
  if (s.includes("\\begin")) s = wholeRowEnds(s);
  s = s.replace(/(:\d\d\s*)([apAP])\.?\s?[mM](?![A-Za-z])\.?/g, "$1\\text{$2m}");
  return s.replace(/\\(q?quad)(?=[A-Za-z])/g, "\\$1 ").replace(/(?<=[\d)\]}])\s*or(?=[A-Z(\\\-\d])/g, " or ");
}

/** Text that was escaped once too often: \\\\frac for \\frac, and in matrices four backslashes for two. */
function escapedOnce(s: string): string {
  if (s.includes("\\\\begin{")) return s.replace(/\\\\/g, "\\");
  return s.includes("\\begin")
    ? s
    : s.replace(/\\\\(?=([A-Za-z]{2,}))/g, (all, word) => isCommandName(word) ? "\\" : all);
}

const ENVIRONMENT =
  /(\\begin\{([a-zA-Z]*(?:matrix|array|cases))\*?\}(?:\{[^{}]*\})?)([\s\S]*?)(\\end\{\2\*?\})/g;

/** Matrices whose double backslashes were halved: `1&2\ 3&4`, where that makes rows of one length. */
function wholeRowEnds(s: string): string {
  return s.replace(ENVIRONMENT, (all, begin: string, _: string, rows: string, end: string) => {
    if (/\\\\|\\(?:cr|tabularnewline)\b/.test(rows)) return all;
    const parts = rows.split(/\\(?=[\s\d+.-]|[A-Za-z](?![A-Za-z]))/);
    const columns = parts.map((row) => row.split("&").length);
    return parts.length > 1 && columns.every((n) => n === columns[0])
      ? begin + parts.join("\\\\ ") + end
      : all;
  });
}

function withoutUnicode(text: string): string {
  return levelCharacters(text).replace(/√\s*(\d+(?:\.\d+)?)/g, "\\sqrt{$1}")
    .replace(/[\u0080-\uffff]/g, (c) => UNICODE.get(c) ?? c);
}

function step(r: Reader): void {
  const c = r.text[r.at];
  if (/\s/.test(c) || c === "~" || c === "$") {
    r.spaced = true;
    if (c === "\n") r.gap.line = true;
    else if (c === "$") r.gap.delimiters++;
    r.at++;
  } else if ((c >= "0" && c <= "9") || (c === "." && /\d/.test(r.text[r.at + 1] ?? ""))) lexNumber(r);
  else if (c === "\\") lexCommand(r);
  else if (/[A-Za-z]/.test(c)) readWord(r);
  else readMark(r);
}

function readWord(r: Reader): void {
  const word = /^[A-Za-z]+/.exec(r.text.slice(r.at, r.at + 200))![0];
  const lower = word.toLowerCase();
  const before = r.tokens.at(-1);
  const afterValue = before !== undefined &&
    (before.kind === "number" || before.text === ")" || before.text === "}" || before.text === "\\$" ||
      before.text === "pi");
  if (lower === "and" || lower === "or") return push(r, "mark", lower, word.length);
  if (lower === "infinity" || word === "inf" || word === "oo") {
    return push(r, "command", "infinity", word.length);
  }
  if (before?.text === "_" || before?.text === "^") {
    return push(r, "letter", word[0], 1, { run: word.length });
  }
  if (afterValue && isPercentWord(word)) return push(r, "mark", "%", word.length);
  const phrase = afterValue ? phraseOfUnits(r) : null;
  if (phrase) return push(r, "text", phrase, phrase.length, { run: phrase.length });
  const unit = afterValue || isBehindUnit(r) ? bareUnit(word, r.plain || !afterValue) : null;
  if (unit) return push(r, "unit", unit, word.length);
  if (
    afterValue && r.spaced && isAmbiguousUnit(word) &&
    /^[\s.$]*(?:$|[,;)\]}])/.test(r.text.slice(r.at + word.length))
  ) {
    return push(r, "unit", canonicalWord(word), word.length);
  }
  if (r.upright && word.length > 1 && !FUNCTIONS.has(word)) return push(r, "text", word, word.length);
  if (word.length > 1 && (FUNCTIONS.has(word) || word === "pi" || GREEK.has(word) && word.length > 2)) {
    return push(r, "command", word, word.length);
  }
  // Five letters are a word: as a product they would equal its anagrams.
  if (word.length >= 5 && word !== word.toUpperCase()) {
    return push(r, "text", word, word.length, { run: word.length });
  }
  for (let i = 0; i < word.length; i++) {
    push(r, "letter", word[i], 1, { run: word.length, ...(r.upright && { upright: true }) });
  }
}

/** True behind `km/` and `kg*`, in a unit of several. */
function isBehindUnit(r: Reader): boolean {
  const [unit, sign] = r.tokens.slice(-2);
  return sign?.kind === "mark" && (sign.text === "/" || sign.text === "*") && unit.kind === "unit";
}

const PHRASE = /[A-Za-z]+(?: +[A-Za-z]+){1,4}(?=[\s.$~]*(?:$|[,;)\]}=<>\\]))/y;

/** `14 square metres`, `60 km per hour`: words behind a number of which one is a unit, or long. */
function phraseOfUnits(r: Reader): string | null {
  PHRASE.lastIndex = r.at;
  const phrase = PHRASE.exec(r.text)?.[0];
  const words = phrase?.split(/ +/) ?? [];
  if (words.some((w) => FUNCTIONS.has(w) || GREEK.has(w) || SEPARATORS.has(w.toLowerCase()) || w === "pi")) {
    return null;
  }
  return words.some((w) => w.length >= 5 || (w.length > 2 && isKnownUnit(w) && !isAmbiguousUnit(w)))
    ? phrase!
    : null;
}

const TWO = new Set(["<=", ">=", "!=", "**", "=="]);

function readMark(r: Reader): void {
  const pair = r.text.slice(r.at, r.at + 2);
  // 5!=120 is a factorial, x != 3 is not.
  const factorial = pair === "!=" && !r.spaced &&
    (r.tokens.at(-1)?.kind === "number" || r.tokens.at(-1)?.text === ")");
  if (TWO.has(pair) && !factorial) {
    const text = { "**": "^", "==": "=" }[pair] ?? pair;
    return push(r, "mark", text, 2);
  }
  const c = r.text[r.at];
  if (c === "&" || c === '"' || c === "`") {
    if (c === "&") return push(r, "mark", "&", 1);
    // 30' 15": seconds of an angle.
    if (
      c === '"' && r.tokens.at(-1)?.kind === "number" &&
      /['°]|circ/.test(r.tokens.map((t) => t.text).join(" "))
    ) {
      push(r, "mark", "'", 0);
      return push(r, "mark", "'", 1);
    }
    r.at++;
    return;
  }
  push(r, "mark", c, 1);
}

/** Drops the punctuation that ends a sentence, not an answer. */
function trimEnd(tokens: Token[]): Token[] {
  let end = tokens.length;
  while (end > 0 && tokens[end - 1].kind === "mark" && /^[.,;:]$|^\\\\$/.test(tokens[end - 1].text)) end--;
  return tokens.slice(0, end);
}

const SEPARATORS = new Set([",", ";", "and", "or"]);

/** `June 20`: a word and a number apart from it. */
function isDate(segment: Token[]): boolean {
  const last = segment.at(-1);
  return last?.kind === "number" && last.spaced && (segment[0].run ?? 0) > 2 &&
    segment.slice(0, -1).every((t) => t.run !== undefined);
}

/** Answers that are letters alone, such as `Evelyn` or `no solution`, become texts: as products they would be anagrams. */
function words(tokens: Token[]): Token[] {
  const result: Token[] = [];
  let segment: Token[] = [];
  const flush = () => {
    const word = segment.some((t) => (t.run ?? 1) > 1) && segment.every((t) => t.run !== undefined) ||
      isDate(segment);
    if (word) {
      const text = segment.map((t, k) => (k > 0 && t.spaced ? " " : "") + t.text).join("");
      result.push({ kind: "text", text, spaced: segment[0].spaced });
    } else result.push(...segment);
    segment = [];
  };
  for (const token of tokens) {
    if (token.kind === "mark" && SEPARATORS.has(token.text)) {
      flush();
      result.push(token);
    } else segment.push(token);
  }
  flush();
  return result;
}
