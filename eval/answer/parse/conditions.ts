/** Conditions behind an answer, in words or in brackets: `for any integer n`, `(n \in \mathbb{Z})`. They become items of a list. */
import type { Token } from "./token.ts";

const OPENER = /^,?\s*(?:for|where|with|and where|here|given)\b/i;
/** Words of a condition that says no more than what kind of number its letters are. */
const WORDS = new Set(
  ("for where with and here any all every each some is are an a be the being arbitrary of value values number numbers constant constants real " +
    "complex integer integers natural whole positive nonnegative non-negative nonzero non-zero").split(" "),
);
/** Sets of numbers by the words that stand for them; those without a name are all that can be meant. */
const DOMAINS: [RegExp, string | null][] = [
  [/positive integer|natural|positive whole/, "positive integers"],
  [/non-?negative integer|whole number/, "nonnegative integers"],
  [/integer/, "Z"],
  [/positive|non-?negative|non-?zero/, "restricted"],
  [/real|constant|complex|arbitrary|number|any|all|every/, null],
];

const mark = (text: string): Token => ({ kind: "mark", text, spaced: true });

/** The tokens with their conditions as items behind commas; those that say nothing more are dropped, others stay as they are. */
export function withConditions(tokens: Token[]): Token[] {
  const at = opening(tokens);
  if (at < 1) return tokens;
  const main = tokens.slice(0, at);
  while (main.at(-1)?.kind === "mark" && main.at(-1)!.text === ",") main.pop();
  const rest = tokens.slice(at);
  if (rest[0].text === "(") return [...main, mark(","), ...rest.slice(1, -1)];
  if (rest.some((t) => t.kind === "command" && t.text === "in")) {
    const inner = rest.filter((t) => t.kind !== "text" && t.text !== "forall");
    return rest.every((t) => t.kind !== "text" || isPlain(t.text)) ? [...main, mark(","), ...inner] : tokens;
  }
  const words = rest.filter((t) => t.kind === "text").map((t) => t.text.toLowerCase()).join(" ");
  const names = rest.filter((t) => t.kind === "letter" || (t.kind === "command" && t.text !== "forall"));
  const others = rest.filter((t) =>
    t.kind !== "text" && !names.includes(t) && t.text !== "forall" && !/^(?:,|and)$/.test(t.text)
  );
  const domain = DOMAINS.find(([pattern]) => pattern.test(words || "all"));
  if (others.length > 0 || names.length === 0 || !domain || !isPlain(words)) return tokens;
  const set: Token = { kind: "text", text: domain[1] ?? "any", spaced: true };
  const inside: Token = { kind: "command", text: "in", spaced: true };
  return [...main, ...names.flatMap((name) => [mark(","), name, inside, set])];
}

const isPlain = (words: string): boolean =>
  words.toLowerCase().split(/[\s,]+/).every((word) => word === "" || WORDS.has(word));

/** Where the condition begins: at its first word, at \forall, or at the bracket that holds it; -1 where there is none. */
function opening(tokens: Token[]): number {
  let depth = 0;
  for (let k = 0; k < tokens.length; k++) {
    const { kind, text } = tokens[k];
    if (kind === "mark" && /^(?:[([{]|\\\{)$/.test(text)) depth++;
    else if (kind === "mark" && /^(?:[)\]}]|\\\})$/.test(text)) depth--;
    if (
      depth === 0 && ((kind === "text" && OPENER.test(text)) || (kind === "command" && text === "forall"))
    ) return k;
    if (depth === 0 && text === "," && isSaidOf(tokens, k + 1)) return k + 1;
    if (depth === 1 && text === "(" && k > 0 && isBracketed(tokens, k)) return k;
  }
  return -1;
}

/** `n \\text{ is an integer}` at the end. */
function isSaidOf(tokens: Token[], at: number): boolean {
  const [name, words, ...rest] = tokens.slice(at);
  return (name?.kind === "letter" || name?.kind === "command") && words?.kind === "text" &&
    rest.length === 0 &&
    /^(?:is|are)\b/i.test(words.text);
}

/** True if a bracket is the last thing said, and holds a membership behind an equation. */
function isBracketed(tokens: Token[], from: number): boolean {
  const inside = tokens.slice(from + 1, -1);
  return tokens.at(-1)!.text === ")" && inside.some((t) => t.kind === "command" && t.text === "in") &&
    inside.every((t) => t.text !== "(" && t.text !== ")") &&
    tokens.slice(0, from).some((t) => t.kind === "mark" && t.text === "=");
}
