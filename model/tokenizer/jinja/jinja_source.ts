/**
 * A template's white space settled before it is read: line ends, what `trim_blocks`, `lstrip_blocks` and the signs `-` and `+`
 * take away, raw blocks and the `generation` tags of transformers, as jinja2 does it. @huggingface/jinja 0.5.11 knows but `\n` as a line end,
 * takes blanks and line feeds beside text that only looks like a tag, and has no `+` and no raw blocks.
 *
 * @module
 */

/** What Python's `\s` and `str.strip` take for white space; JavaScript's `\s` is another set. */
export const WHITE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const LEADING = new RegExp(`^[${WHITE}]+`);
const TRAILING = new RegExp(`[${WHITE}]+$`);
const BLANK = new RegExp(`^[${WHITE}]*$`);
const RAW = new RegExp(`^\\{%([-+]?)[${WHITE}]*raw[${WHITE}]*(-?)%\\}`);
const END_RAW = new RegExp(`\\{%([-+]?)[${WHITE}]*endraw[${WHITE}]*([-+]?)%\\}`);
const GENERATION = new RegExp(`^[${WHITE}]*(end)?generation[${WHITE}]*$`);

/**
 * The same template in the form that @huggingface/jinja reads as jinja2 would read it.
 *
 * @throws SyntaxError if a tag does not end
 */
export function settleSource(template: string): string {
  const source = template.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  let [out, pending, at, startsLine] = ["", "", 0, true];
  while (at < source.length) {
    const open = nextOpening(source, at);
    const tag = open < 0 ? undefined : readTag(source, open);
    const text = source.slice(at, tag ? open : undefined);
    pending += tag ? before(text, tag, startsLine) : text;
    if (!tag) break;
    if (tag.written !== "") {
      out += asText(pending) + tag.written;
      pending = "";
    }
    [at, startsLine] = after(source, tag);
  }
  out += asText(pending);
  // The library drops a line feed at the end.
  return out.endsWith("\n") ? `${out}\n` : out;
}

/** Text in which nothing looks like a tag, where white space or a comment parted what now stands side by side. */
const asText = (text: string) => text.replace(/\{(?=[{%#]|$)/g, '{{ "{" }}');

/** What was read from `{{`, `{%` or `{#` on. */
interface Tag {
  kind: "{" | "%" | "#";
  /** Signs at its begin and end. */
  signs: [string, string];
  /** Without signs; nothing for what leaves no trace. */
  written: string;
  /** Behind its last brace. */
  end: number;
}

function nextOpening(source: string, from: number): number {
  const found = source.slice(from).search(/\{[{%#]/);
  return found < 0 ? -1 : from + found;
}

function readTag(source: string, open: number): Tag {
  const raw = RAW.exec(source.slice(open, open + 64));
  if (raw) return readRaw(source, open, raw);
  const kind = source[open + 1] as Tag["kind"];
  const first = signAt(source, open + 2, kind);
  const begin = open + 2 + first.length;
  if (kind === "#") {
    const close = source.indexOf("#}", begin);
    if (close < 0) throw new SyntaxError("Missing end of comment tag");
    const last = close > begin ? signAt(source, close - 1, kind) : "";
    return { kind, signs: [first, last], written: "", end: close + 2 };
  }
  const { inside, close } = readInside(source, begin, kind === "{" ? "}}" : "%}");
  const last = signAt(inside, inside.length - 1, kind);
  const content = last === "" ? inside : inside.slice(0, -1);
  const written = kind === "%" && GENERATION.test(content)
    ? ""
    : `{${kind}${content} ${kind === "{" ? "}" : "%"}}`;
  return { kind, signs: [first, last], written, end: close + 2 };
}

/** `{{+` is no sign but a number's. */
function signAt(text: string, at: number, kind: Tag["kind"]): string {
  return text[at] === "-" || text[at] === "+" && kind !== "{" ? text[at] : "";
}

/** A raw block as one text. */
function readRaw(source: string, open: number, [whole, first, inner]: RegExpExecArray): Tag {
  const begin = open + whole.length;
  const end = END_RAW.exec(source.slice(begin));
  if (!end) throw new SyntaxError("Missing end of raw block");
  let content = source.slice(begin, begin + end.index);
  if (inner === "-") content = content.replace(LEADING, "");
  if (end[1] === "-") content = content.replace(TRAILING, "");
  else if (end[1] === "") content = withoutIndent(content, false);
  const written = content === "" ? "" : `{{ ${JSON.stringify(content)} }}`;
  return { kind: "%", signs: [first, end[2]], written, end: begin + end.index + end[0].length };
}

/** Up to the end of a tag that stands in no text and no map. */
function readInside(source: string, from: number, ending: string): { inside: string; close: number } {
  let [inside, depth] = ["", 0];
  for (let at = from; at < source.length; at++) {
    const character = source[at];
    if (depth === 0 && source.startsWith(ending, at)) return { inside, close: at };
    if (character === "'" || character === '"') {
      const text = readText(source, at);
      inside += text.written;
      at = text.end;
      continue;
    }
    if ("([{".includes(character)) depth++;
    if (")]}".includes(character)) depth--;
    inside += character;
  }
  throw new SyntaxError(`Missing ${ending} at the end of a tag`);
}

/** A text with the escapes that Python does not know, and leaves as they are, spelt out. */
function readText(source: string, open: number): { written: string; end: number } {
  const quote = source[open];
  let written = quote;
  for (let at = open + 1; at < source.length; at++) {
    const character = source[at];
    if (character === "\\" && at + 1 < source.length) {
      const next = source[++at];
      written += `ntrbfv'"\\xu`.includes(next) ? `\\${next}` : next === "\n" ? "" : `\\\\${next}`;
    } else {
      written += character;
      if (character === quote) return { written, end: at };
    }
  }
  throw new SyntaxError("Missing end of a text");
}

/** The text before a tag. */
function before(text: string, { kind, signs }: Tag, startsLine: boolean): string {
  if (signs[0] === "-") return text.replace(TRAILING, "");
  return kind === "{" || signs[0] === "+" ? text : withoutIndent(text, startsLine);
}

/** `lstrip_blocks`: white space between the begin of a line and a tag. */
function withoutIndent(text: string, startsLine: boolean): string {
  const line = text.lastIndexOf("\n") + 1;
  return (line > 0 || startsLine) && BLANK.test(text.slice(line)) ? text.slice(0, line) : text;
}

/** Where the text behind a tag begins, and whether a line does. */
function after(source: string, { kind, signs, end }: Tag): [at: number, startsLine: boolean] {
  if (signs[1] === "-") {
    const [blank] = LEADING.exec(source.slice(end)) ?? [""];
    return [end + blank.length, blank.endsWith("\n")];
  }
  // trim_blocks
  if (kind !== "{" && signs[1] === "" && source[end] === "\n") return [end + 1, true];
  return [end, false];
}
