import { UserError } from "../../gpu/errors.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";

/** What becomes of prompts that leave a model no room to think and answer. */
export const LONG_PROMPTS = ["refuse", "skip", "truncate"] as const;
/** One of {@linkcode LONG_PROMPTS}. */
export type LongPrompts = typeof LONG_PROMPTS[number];

/** A prompt is longer than a model has room for. */
export class LongPromptError extends UserError {}

/** Token ids that a prompt may have, and what becomes of longer ones. */
export interface PromptRoom {
  /** Tokens. */
  most: number;
  /** What becomes of longer ones. */
  long: LongPrompts;
}

/** Characters of a text that are read for each token: more are in few tokens of any tokenizer, and runs of one sign take long to read. */
export const CHARACTERS_A_TOKEN = 16;

/** Of a part of a text the last tokens may be others than in the whole. */
const LOOSE = 16;

/**
 * Refuses a text that is longer than there is room for after reading no more of it than shows that: tokenising takes its time.
 * @throws LongPromptError
 */
export function refuseLongText(tokenizer: Tokenizer, text: string, { most }: PromptRoom): void {
  if (most < 2 || tokensBeyond(tokenizer, text, most) === undefined) return;
  throw longPrompt(`${text.length.toLocaleString("en")} characters`, most);
}

/**
 * About how many tokens a text has that surely has more than there is room for, by the part of it that shows that. No more is read.
 *
 * @param most tokens there is room for
 * @returns undefined where it may have fewer
 */
export function tokensBeyond(tokenizer: Tokenizer, text: string, most: number): number | undefined {
  for (let length = 4 * (most + LOOSE); length < text.length; length *= 2) {
    const part = wholeWords(text.slice(0, length));
    const tokens = tokensIn(tokenizer, part);
    if (tokens > most + LOOSE) return Math.round(tokens * text.length / part.length);
  }
}

/** What is left of a text so long that its middle will be cut anyway. */
export function withoutMiddle(text: string, { most }: PromptRoom): string {
  const kept = CHARACTERS_A_TOKEN * (most + LOOSE);
  return text.length <= 2 * kept
    ? text
    : `${wholeWords(text.slice(0, kept))} ${text.slice(-kept).replace(/^\S*\s/, "")}`;
}

/** What is left of a text so long that its beginning will be cut anyway: its end, from a word's beginning on. */
export function withoutBeginning(text: string, most: number): string {
  const kept = CHARACTERS_A_TOKEN * (most + LOOSE);
  return text.length <= 2 * kept ? text : text.slice(-kept).replace(/^\S*\s/, "");
}

/**
 * The ids of a prompt as there is room for them: the first and the last of them where they are to be truncated. Those to be refused are
 * told where all of them are known, by `checkContext`.
 * @throws LongPromptError if they are to be skipped
 */
export function fitted(ids: number[], { most, long }: PromptRoom): number[] {
  if (ids.length <= most || long === "refuse" || most < 2) return ids;
  if (long === "skip") throw longPrompt(`${ids.length.toLocaleString("en")} tokens`, most);
  return [...ids.slice(0, Math.ceil(most / 2)), ...ids.slice(ids.length - Math.floor(most / 2))];
}

const longPrompt = (found: string, most: number) =>
  new LongPromptError(
    `Cannot ask with a prompt of ${found}: the model's context leaves ${Math.max(0, most)} tokens for it`,
    "--long-prompts truncate cuts their middle, of a data set skip leaves them out; or allow less: --max-thinking, --answer-tokens",
  );

/** A text up to its last blank: a part of a word may be in no vocabulary. */
const wholeWords = (text: string): string => /^[^]*(?=\s)/.exec(text)?.[0] ?? text;

function tokensIn(tokenizer: Tokenizer, text: string): number {
  try {
    return tokenizer.encode(text).length;
  } catch (error) {
    if (error instanceof UserError) return 0; // the whole will say so itself
    throw error;
  }
}
