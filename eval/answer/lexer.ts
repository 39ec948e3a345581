/** Text of an answer into tokens. Spacing, looks and aliases end here: equal token texts are "identical text". */
import { addRationals, divideRationals, parseDecimal, type Rational, rational } from "./rational.ts";
import { closingBrace } from "./extract.ts";
import {
  COMMAND_ALIASES,
  DROPPED_COMMANDS,
  FACE_COMMANDS,
  FUNCTIONS,
  GREEK,
  SPACE_COMMANDS,
  TEXT_COMMANDS,
  UNICODE,
} from "./vocabulary.ts";
import { bareUnit, isPercentWord } from "./units.ts";

/** One token. `spaced` says that space stood before it. */
export interface Token {
  kind: "number" | "letter" | "command" | "mark" | "text" | "unit" | "end";
  text: string;
  spaced: boolean;
  value?: Rational;
  /** for letters: the length of the run of letters it came from, and its place in the run */
  run?: number;
  at?: number;
}

/** Thrown for text that is not an answer the rules can read; the pair is then compared as text. */
export class ParseFailure extends Error {
  override name = "ParseFailure";
}

const OPEN = new Set(["(", "[", "\\{"]);
const CLOSE = new Set([")", "]", "\\}"]);

interface Reader {
  text: string;
  at: number;
  tokens: Token[];
  spaced: boolean;
  /** depth of ( [ \{ : inside them `1,234` is a list */
  depth: number;
  plain: boolean;
}

/**
 * Splits an answer into tokens.
 *
 * @param plain true for plain text, where `1,5` is a decimal and `5 m` five metres; in maths both are something else
 */
export function lex(text: string, plain = false): Token[] {
  const reader: Reader = { text: prepare(text), at: 0, tokens: [], spaced: false, depth: 0, plain };
  while (reader.at < reader.text.length) step(reader);
  return words(trimEnd(reader.tokens));
}

const SEPARATORS = new Set([",", ";", "and", "or"]);

/** Answers that are letters alone, such as `Evelyn` or `no solution`, become texts: as products they would be anagrams. */
function words(tokens: Token[]): Token[] {
  const result: Token[] = [];
  let segment: Token[] = [];
  const flush = () => {
    const word = segment.some((t) => (t.run ?? 1) > 1) && segment.every((t) => t.kind === "letter");
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

/** Rewrites single characters and doubled backslashes before the tokens are read. */
function prepare(text: string): string {
  let s = text.replace(/[\u0080-\uffff]/g, (c) => UNICODE[c] ?? c);
  if (s.includes("\\\\") && !s.includes("\\begin")) {
    // Text that was escaped once too often: \\frac for \frac.
    s = s.replace(/\\\\(?=[A-Za-z]{2})/g, "\\");
  }
  s = s.replace(/(:\d\d\s*)([apAP])\.?\s?[mM](?![A-Za-z])\.?/g, "$1\\text{$2m}");
  return s.replace(/\\(q?quad)(?=[A-Za-z])/g, "\\$1 ").replace(/(?<=[\d)\]}])\s*or(?=[A-Z(\\\-\d])/g, " or ");
}

function push(r: Reader, kind: Token["kind"], text: string, length: number, extra?: Partial<Token>): void {
  r.tokens.push({ kind, text, spaced: r.spaced, ...extra });
  r.spaced = false;
  r.at += length;
  if (OPEN.has(text) && kind === "mark") r.depth++;
  if (CLOSE.has(text) && kind === "mark") r.depth--;
}

function step(r: Reader): void {
  const c = r.text[r.at];
  if (/\s/.test(c) || c === "~" || c === "$") {
    r.spaced = true;
    r.at++;
  } else if ((c >= "0" && c <= "9") || (c === "." && /\d/.test(r.text[r.at + 1] ?? ""))) readNumber(r);
  else if (c === "\\") readCommand(r);
  else if (/[A-Za-z]/.test(c)) readWord(r);
  else readMark(r);
}

const GROUP_SPACED = /\d{1,3}(?:(?:\s*\{\s*,\s*\}\s*|\s?,\s?\\!\s*|\\,|\\ |,\\,)\d{3})+(?!\d)/y;
const GROUP_COMMA = /[1-9]\d{0,2}(?:,\d{3})+(?![\d,]|\.\d*,)/y;
const GROUP_BLANK = /\d{1,3}(?: \d{3})+(?!\d| \d)/y;
const DIGITS = /\d*/y;
const FRACTION = /\.\d+/y;
const REPEATING = /\.(\d*)\\(?:overline|bar|dot|overbar)\s*(?:\{\s*(\d+)\s*\}|(\d))/y;
const SCIENTIFIC = /[eE]\+?\d{1,5}(?![\d.])|E-\d{1,5}(?![\d.])/y;
const DECIMAL_COMMA = /(\d+),(\d+)(?![\d,.])/y;

function match(pattern: RegExp, r: Reader, at = r.at): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(r.text);
}

function readNumber(r: Reader): void {
  if (r.plain && r.depth === 0) {
    const m = match(DECIMAL_COMMA, r);
    if (m && !(m[2].length === 3 && m[1].length <= 3 && m[1] !== "0")) {
      return push(r, "number", `${m[1]}.${m[2]}`, m[0].length, { value: decimal(`${m[1]}.${m[2]}`) });
    }
  }
  const grouped = match(GROUP_SPACED, r) ?? (r.depth === 0 ? match(GROUP_COMMA, r) : null) ??
    (r.depth === 0 ? match(GROUP_BLANK, r) : null);
  const whole = grouped?.[0] ?? match(DIGITS, r)![0];
  const digits = whole.replace(/\D/g, "");
  let length = whole.length;
  const repeating = match(REPEATING, r, r.at + length);
  if (repeating) {
    const value = repeatingDecimal(digits || "0", repeating[1], repeating[2] ?? repeating[3]);
    return push(
      r,
      "number",
      `${digits}.${repeating[1]}(${repeating[2] ?? repeating[3]})`,
      length + repeating[0].length,
      { value },
    );
  }
  const fraction = match(FRACTION, r, r.at + length)?.[0] ?? "";
  length += fraction.length;
  const exponent = match(SCIENTIFIC, r, r.at + length)?.[0] ??
    (r.plain ? /^e-\d{1,5}(?![\d.])/.exec(r.text.slice(r.at + length, r.at + length + 9))?.[0] : "") ?? "";
  length += exponent.length;
  const text = digits + fraction + exponent;
  push(r, "number", text, length, { value: decimal(text) });
}

function decimal(text: string): Rational {
  const value = parseDecimal(text);
  if (!value) throw new ParseFailure("number");
  return value;
}

/** 0.1666... written `0.1\overline{6}`, exactly. */
function repeatingDecimal(whole: string, fixed: string, period: string): Rational {
  const scale = 10n ** BigInt(fixed.length);
  const tail = divideRationals(
    rational(BigInt(period)),
    rational((10n ** BigInt(period.length) - 1n) * scale),
  );
  return addRationals(decimal(`${whole}.${fixed}`), tail);
}

function readCommand(r: Reader): void {
  const next = r.text[r.at + 1] ?? "";
  if (!/[A-Za-z]/.test(next)) return readEscape(r, next);
  const name = /^[A-Za-z]+/.exec(r.text.slice(r.at + 1, r.at + 41))![0];
  const length = name.length + 1;
  if (TEXT_COMMANDS.has(name)) return readText(r, length);
  if (name === "begin" || name === "end") return readEnvironment(r, name, length);
  if (FACE_COMMANDS.has(name)) return readFace(r, length);
  if (name === "phantom" || name === "hspace" || name === "vspace" || name === "label" || name === "tag") {
    const group = argument(r, r.at + length);
    r.at = group.end;
    return;
  }
  if (DROPPED_COMMANDS.has(name)) {
    r.at += length;
    // \left. and \right. are empty delimiters.
    if ((name === "left" || name === "right") && r.text[r.at] === ".") r.at++;
    return;
  }
  if (SPACE_COMMANDS.has(name)) {
    r.spaced = true;
    r.at += length;
    return;
  }
  const alias = COMMAND_ALIASES[name];
  if (alias && !/^[a-z]+$/i.test(alias)) return push(r, "mark", alias, length);
  if (name === "boxed" || name === "fbox") {
    r.at += length;
    return;
  }
  push(r, alias === "and" || alias === "or" ? "mark" : "command", alias ?? name, length);
}

function readEscape(r: Reader, next: string): void {
  if (next === '"') r.at += 2;
  else if (
    next === "" ||
    ",;:! >/()[]\n\t".includes(next) && next !== "(" && next !== ")" && next !== "[" && next !== "]"
  ) {
    r.spaced ||= next !== "!";
    r.at += 2;
  } else if ("()[]".includes(next)) {
    r.spaced = true;
    r.at += 2;
  } else if (next === "{" || next === "}") push(r, "mark", `\\${next}`, 2);
  else if (next === "\\") push(r, "mark", "\\\\", 2);
  else if (next === "|") push(r, "mark", "|", 2);
  else if (next === "%") push(r, "mark", "%", 2);
  else if (next === "$") push(r, "mark", "\\$", 2);
  else push(r, "mark", next, 2);
}

/** The argument at `at`: a brace group or one character. */
function argument(r: Reader, at: number): { content: string; end: number } {
  while (/\s/.test(r.text[at] ?? "")) at++;
  if (r.text[at] !== "{") return { content: r.text[at] ?? "", end: at + 1 };
  const end = closingBrace(r.text, at + 1);
  if (end < 0) throw new ParseFailure("open brace");
  return { content: r.text.slice(at + 1, end), end: end + 1 };
}

const SEPARATOR_TEXT = /^[\s,;]*(and|or|,|;)[\s,;]*$/i;

/** `\text{...}`: a separator (`and`, `or`, commas), several texts between separators, or one text. */
function readText(r: Reader, length: number): void {
  const { content: whole, end } = argument(r, r.at + length);
  const content = whole.trim().replace(/\\(?:left|right|displaystyle)\b/g, "");
  if (/^[\s\d.,:+*/()%-]*\d[\s\d.,:+*/()%-]*(?:[ap]\.?m\.?|\\text\{[ap]m\})?$/i.test(content)) {
    // \text{13}, \text{4:30 p.m.}: a text only in its looks.
    for (const token of lex(content.replace(/([ap])\.?m\.?$/i, "\\text{$1m}"), r.plain)) r.tokens.push(token);
    r.at = end;
    return;
  }
  const parts = content.split(/(\s*[,;]\s*(?:and|or)?\s+|\s*[,;]\s*|(?<=^|\s)(?:and|or)(?=\s|$))/i);
  r.spaced = true;
  for (const part of parts) {
    const trimmed = part.replace(/~/g, " ").trim();
    if (trimmed === "") continue;
    const separator = SEPARATOR_TEXT.exec(trimmed);
    if (separator) push(r, "mark", separator[1].toLowerCase(), 0);
    else push(r, "text", trimmed.replace(/\s+/g, " ").replace(/\\[,; !]/g, " ").replace(/\$/g, ""), 0);
  }
  r.at = end;
}

/** `\mathrm{e}` is the letter e, `\mathrm{cm}` a text, `\mathbf{2340}` what is inside. */
function readFace(r: Reader, length: number): void {
  const { content, end } = argument(r, r.at + length);
  const inner = content.replace(/[~\s]|\\[,;! ]/g, "");
  if (/^[A-Za-z]{2,}$/.test(inner) && !FUNCTIONS.has(inner)) push(r, "text", inner, 0);
  else if (FUNCTIONS.has(inner)) push(r, "command", inner, 0);
  else {
    const spaced = r.spaced;
    for (const token of lex(content, r.plain)) r.tokens.push({ ...token, spaced: token.spaced || spaced });
  }
  r.at = end;
}

function readEnvironment(r: Reader, name: string, length: number): void {
  const { content, end } = argument(r, r.at + length);
  const environment = content.trim().replace(/\*$/, "");
  push(r, "command", `${name}{${environment}}`, 0);
  r.at = end;
  // Column layout of an array: {cc|c} or [t].
  if (name === "begin" && environment === "array") {
    const layout = /^\s*(?:\[[a-z]\])?\s*\{[^{}]{0,40}\}/.exec(r.text.slice(r.at, r.at + 60));
    if (layout) r.at += layout[0].length;
  }
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
    return push(r, "letter", word[0], 1, { run: word.length, at: 0 });
  }
  if (afterValue && isPercentWord(word)) return push(r, "mark", "%", word.length);
  const unit = afterValue ? bareUnit(word, r.plain) : null;
  if (unit) return push(r, "unit", unit, word.length);
  if (word.length > 1 && (FUNCTIONS.has(word) || word === "pi" || GREEK.has(word) && word.length > 2)) {
    return push(r, "command", word, word.length);
  }
  for (let i = 0; i < word.length; i++) push(r, "letter", word[i], 1, { run: word.length, at: i });
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

/** The tokens as one line: two answers with the same line are identical text. */
export function tokenText(tokens: Token[]): string {
  let line = "";
  let last = "";
  for (const t of tokens) {
    if (t.kind === "number" && last === "number") line += " ";
    line += t.kind === "text" || t.kind === "unit"
      ? `"${t.text}"`
      : t.kind === "command"
      ? `\\${t.text} `
      : t.text;
    last = t.kind;
  }
  return line;
}
