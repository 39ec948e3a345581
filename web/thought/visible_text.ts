/** A part of a text as it may be shown: as it is, or a character that would not be seen, or would move others, by a sign. */
export interface VisiblePart {
  /** What is shown. */
  text: string;
  /** What the sign stands for, such as `U+202E`; null for text that is as it was. */
  sign: string | null;
}

/**
 * Characters that a reader would not see, or that change how their neighbours are drawn: controls (but tab and line feed), bidirectional
 * controls, zero-width ones, line and paragraph separators, lone surrogates, the byte order mark and tags.
 */
const UNSEEN =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/** Where a line ends within a token, it is shown so. */
const LINE_SIGNS: Record<string, string> = { "\n": "↵", "\t": "→", " ": "·" };

/** Splits a text into what can be shown and signs for what cannot. Lines and tabs stay as they are. */
export function visibleParts(text: string): VisiblePart[] {
  const parts: VisiblePart[] = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(UNSEEN)) {
    if (index > at) parts.push({ text: text.slice(at, index), sign: null });
    const code = codeOf(found);
    parts.push({ text: `⟨${code}⟩`, sign: code });
    at = index + found.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), sign: null });
  return parts;
}

/** A token's text on one line: line ends and tabs as signs, and spaces at its ends, which are a part of it. */
export function visibleToken(text: string): VisiblePart[] {
  const [, before, middle, after] = /^( *)([^]*?)( *)$/.exec(text)!;
  const spaces = (part: string): VisiblePart[] =>
    part === "" ? [] : [{ text: LINE_SIGNS[" "].repeat(part.length), sign: "space" }];
  const inner = visibleParts(middle).flatMap((part) => part.sign === null ? linesSigned(part.text) : [part]);
  return [...spaces(before), ...inner, ...spaces(after)];
}

/** Its beginning as one string in quotes, for sentences and for what is read out. */
export function plainToken(text: string, most = 60): string {
  const parts = visibleParts(text.length > most ? `${text.slice(0, most)}…` : text);
  return JSON.stringify(parts.map(({ text, sign }) => sign === null ? text : `<${sign}>`).join(""));
}

function linesSigned(text: string): VisiblePart[] {
  return text.split(/([\n\t])/).filter((part) => part !== "").map((part) =>
    part === "\n" || part === "\t"
      ? { text: LINE_SIGNS[part], sign: part === "\n" ? "line end" : "tab" }
      : { text: part, sign: null }
  );
}

const codeOf = (character: string) =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
