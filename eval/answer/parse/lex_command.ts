/** LaTeX commands: aliases, spacing, texts, faces and environments. */
import { closingBrace } from "../box.ts";
import { textUnit } from "./text_unit.ts";
import { ParseFailure, push, type Reader } from "./token.ts";
import { isAmbiguousUnit } from "./units.ts";
import {
  COMMAND_ALIASES,
  DROPPED_COMMANDS,
  FACE_COMMANDS,
  FUNCTIONS,
  SPACE_COMMANDS,
  TEXT_COMMANDS,
  WIDE_COMMANDS,
} from "./vocabulary.ts";

/** Commands that show nothing, or change colours: dropped with their first argument. */
const WITHOUT_ARGUMENT = new Set(["phantom", "hspace", "vspace", "label", "tag", "color", "textcolor"]);

/** Reads the command or escaped character that starts here. */
export function lexCommand(r: Reader): void {
  const next = r.text[r.at + 1] ?? "";
  if (!/[A-Za-z]/.test(next)) return readEscape(r, next);
  const name = /^[A-Za-z]+/.exec(r.text.slice(r.at + 1, r.at + 41))![0];
  const length = name.length + 1;
  if (TEXT_COMMANDS.has(name)) return readText(r, length);
  if (name === "begin" || name === "end") return readEnvironment(r, name, length);
  if (FACE_COMMANDS.has(name)) return readFace(r, name, length);
  if (WITHOUT_ARGUMENT.has(name)) {
    const group = argument(r, r.at + length);
    if (WIDE_COMMANDS.has(name)) r.spaced = r.gap.wide = true;
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
    if (WIDE_COMMANDS.has(name)) r.gap.wide = true;
    r.at += length;
    return;
  }
  if (name === "cr" || name === "tabularnewline") return push(r, "mark", "\\\\", length);
  const alias = COMMAND_ALIASES.get(name);
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
    r.gap.delimiters++;
    r.at += 2;
  } else if (next === "{" || next === "}") push(r, "mark", `\\${next}`, 2);
  else if (next === "\\") {
    push(r, "mark", "\\\\", 2);
    // The space below the row: \\*[0.5em].
    r.at += /^\s*\*?(?:\s*\[\s*-?[\d.]+\s*(?:em|ex|pt|mm|cm|in|pc|bp|sp|mu|\\[a-z]+)\s*\])?/.exec(
      r.text.slice(r.at, r.at + 40),
    )![0].length;
  } else if (next === "|") push(r, "mark", "|", 2);
  else if (next === "%") push(r, "mark", "%", 2);
  else if (next === "$") push(r, "mark", "\\$", 2);
  else if (next === "~" || next === "^") throw new ParseFailure("accent");
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
    for (const token of r.lex(content.replace(/([ap])\.?m\.?$/i, "\\text{$1m}"), r.plain)) {
      r.tokens.push(token);
    }
    r.at = end;
    return;
  }
  const labelled = /^(\([A-J]\))\s*(\S.*)$/.exec(content);
  if (labelled) {
    // \text{(C) 14}: a choice with what it says.
    push(r, "text", labelled[1], 0);
    const value = /^[-+$\d\\(]/.test(labelled[2]);
    if (value) r.tokens.push(...r.lex(labelled[2], r.plain));
    else push(r, "text", labelled[2], 0);
    r.at = end;
    return;
  }
  const measured = /^([-+]?\d[\d,.]*)\s*([A-Za-z°^].*)$/.exec(content);
  if (measured && textUnit(measured[2])) {
    // \text{14 square metres}: a number and its unit.
    r.tokens.push(...r.lex(measured[1], r.plain));
    r.spaced = true;
    push(r, "text", measured[2], 0);
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
function readFace(r: Reader, name: string, length: number): void {
  const { content, end } = argument(r, r.at + length);
  const inner = content.replace(/[~\s]|\\[,;! ]/g, "");
  const upright = UPRIGHT.has(name);
  const isUnit = upright && isAmbiguousUnit(inner) && isBehindNumber(r) &&
    !/^\s*[({_^\\]/.test(r.text.slice(end, end + 4));
  if (/^[A-Za-z]{2,}$/.test(inner) && (isUnit || !FUNCTIONS.has(inner))) push(r, "text", inner, 0);
  else if (FUNCTIONS.has(inner)) push(r, "command", inner, 0);
  else {
    const spaced = r.spaced;
    const tokens = r.lex(content, r.plain, upright);
    tokens.forEach((token, k) => r.tokens.push({ ...token, spaced: token.spaced || (k === 0 && spaced) }));
    r.spaced = false;
  }
  r.at = end;
}

const UPRIGHT = new Set(["mathrm", "mathsf", "rm"]);

function isBehindNumber(r: Reader): boolean {
  const last = r.tokens.at(-1);
  return last !== undefined &&
    (last.kind === "number" || last.text === ")" || last.text === "}" || last.text === "pi");
}

function readEnvironment(r: Reader, name: string, length: number): void {
  const { content, end } = argument(r, r.at + length);
  const environment = content.trim().replace(/\*$/, "");
  push(r, "command", `${name}{${environment}}`, 0);
  r.at = end;
  if (name === "begin" && content.trim().endsWith("*")) {
    r.at += /^\s*(?:\[[lcr]\])?/.exec(r.text.slice(r.at, r.at + 20))![0].length;
  }
  // Column layout of an array: {cc|c} or [t].
  if (name === "begin" && environment === "array") {
    const layout = /^\s*(?:\[[a-z]\])?\s*\{[^{}]{0,40}\}/.exec(r.text.slice(r.at, r.at + 60));
    if (layout) r.at += layout[0].length;
  }
}
