/**
 * When the thinking ends, what is forced then, and when the answer ends (method, section 4): rules on token
 * ids and their text alone, so that every way of thinking, training and evaluation share them.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** Looked for in the text that was generated; never in the prompt. */
export const TRIGGER = "The final answer is:";

/** What may be forced between thinking and answer. */
export const FORCED_TEXTS = {
  /** The trigger was seen. */
  box: " \\boxed{",
  /** The trigger was seen and the text ends in white space already. */
  boxAfterSpace: "\\boxed{",
  /** Thinking ended without the trigger. */
  triggerAndBox: " The final answer is: \\boxed{",
} as const;

/** Which of the forced texts. */
export type ForcedKind = keyof typeof FORCED_TEXTS;

/** Why thinking ended: an end token counts as reaching the limit, but is known apart. */
export type ThinkingEnd = "trigger" | "end-token" | "limit";

/** Why the answer ended: at the brace that closes the forced one, at an end token, or at its limit. */
export type AnswerEnd = "brace" | "end-token" | "limit";

/** The rules of one run; made once, by {@linkcode thinkingRules}, and stored with the run. */
export interface ThinkingRules {
  /** L, in steps. */
  maxThinking: number;
  /** Most tokens of an answer. */
  maxAnswer: number;
  /** Any of these ends thinking or answer. */
  endTokenIds: readonly number[];
  /** Ids of each forced text, tokenised alone. */
  forcedIds: Record<ForcedKind, readonly number[]>;
}

/** Follows one rollout's thinking. */
interface TriggerDetector {
  /**
   * Takes the next token (hard) or shadow token (soft, fuzzy).
   *
   * @returns why thinking has ended with it, or null; tokens after the end change nothing
   */
  push(id: number): ThinkingEnd | null;
  /** Null while thinking goes on. */
  readonly ended: ThinkingEnd | null;
  /** Thinking steps so far, the ending one included. */
  readonly steps: number;
  /** What is to be forced, once ended. */
  readonly forced: ForcedKind | null;
}

/** Follows one rollout's answer. */
interface AnswerDetector {
  /** Takes the next answer token; returns why the answer has ended with it, or null. */
  push(id: number): AnswerEnd | null;
  /** Null while the answer goes on. */
  readonly ended: AnswerEnd | null;
  /** Answer tokens so far, the ending one included: all of them are actions. */
  readonly steps: number;
}

/**
 * The rules for a tokenizer, with the forced texts tokenised.
 *
 * @throws UserError if a limit is out of range or the tokenizer cannot write a forced text
 */
export function thinkingRules(
  tokenizer: Tokenizer,
  options: { maxThinking: number; maxAnswer: number; endTokenIds: readonly number[] },
): ThinkingRules {
  const { maxThinking, maxAnswer, endTokenIds } = options;
  if (!Number.isInteger(maxThinking) || maxThinking < 0) {
    throw new UserError(`Cannot think for ${maxThinking} tokens: a whole number of at least 0 is needed`);
  }
  if (!Number.isInteger(maxAnswer) || maxAnswer < 1) {
    throw new UserError(`Cannot answer in ${maxAnswer} tokens: a whole number of at least 1 is needed`);
  }
  const ids = (kind: ForcedKind) => tokenizer.encode(FORCED_TEXTS[kind]);
  const forcedIds = {
    box: ids("box"),
    boxAfterSpace: ids("boxAfterSpace"),
    triggerAndBox: ids("triggerAndBox"),
  };
  return { maxThinking, maxAnswer, endTokenIds: [...endTokenIds], forcedIds };
}

/**
 * What follows thinking that has ended.
 *
 * @param ended why it has
 * @param tail the end of the thinking's text
 */
export function forcedAfter(ended: ThinkingEnd, tail: string): ForcedKind {
  if (ended !== "trigger") return "triggerAndBox";
  return /\s$/.test(tail) ? "boxAfterSpace" : "box";
}

/** A detector for one rollout. With `maxThinking` 0 it has ended before the first step. */
export function detectTrigger(tokenizer: Tokenizer, rules: ThinkingRules): TriggerDetector {
  const tail = textTail(tokenizer, TRIGGER.length);
  let steps = 0;
  let ended: ThinkingEnd | null = rules.maxThinking === 0 ? "limit" : null;
  let forced: ForcedKind | null = ended && forcedAfter(ended, "");
  const endAfter = (id: number): ThinkingEnd | null => {
    if (rules.endTokenIds.includes(id)) return "end-token";
    if (tail.push(id).includes(TRIGGER)) return "trigger";
    return steps === rules.maxThinking ? "limit" : null;
  };
  return {
    push(id) {
      if (ended) return ended;
      steps++;
      ended = endAfter(id);
      if (ended) forced = forcedAfter(ended, tail.text());
      return ended;
    },
    get ended() {
      return ended;
    },
    get steps() {
      return steps;
    },
    get forced() {
      return forced;
    },
  };
}

/** A detector for plain continuation: end tokens and the limit alone end it, whatever the text says. */
export function detectEnd(rules: ThinkingRules): TriggerDetector {
  let steps = 0;
  let ended: ThinkingEnd | null = rules.maxThinking === 0 ? "limit" : null;
  return {
    push(id) {
      if (ended) return ended;
      steps++;
      if (rules.endTokenIds.includes(id)) ended = "end-token";
      else if (steps === rules.maxThinking) ended = "limit";
      return ended;
    },
    get ended() {
      return ended;
    },
    get steps() {
      return steps;
    },
    get forced() {
      return ended && forcedAfter(ended, "");
    },
  };
}

/** A detector for the answer that follows a forced `\boxed{`. Braces nest; escaped ones (`\{`) do not count. */
export function detectAnswer(tokenizer: Tokenizer, rules: ThinkingRules): AnswerDetector {
  let steps = 0;
  let depth = 1;
  let escaped = false;
  let ended: AnswerEnd | null = null;
  const closes = (text: string) => {
    for (const character of text) {
      if (escaped) escaped = false;
      else if (character === "\\") escaped = true;
      else if (character === "{") depth++;
      else if (character === "}" && --depth === 0) return true;
    }
    return false;
  };
  return {
    push(id) {
      if (ended) return ended;
      steps++;
      if (rules.endTokenIds.includes(id)) ended = "end-token";
      else if (closes(tokenizer.tokenText(id))) ended = "brace";
      else if (steps === rules.maxAnswer) ended = "limit";
      return ended;
    },
    get ended() {
      return ended;
    },
    get steps() {
      return steps;
    },
  };
}

/**
 * The text of generated tokens up to their end token, if they have one: what is shown and what is graded.
 *
 * @param ids thinking, shadow or answer tokens
 * @param goesOn a text stands before them
 */
export function generatedText(
  tokenizer: Tokenizer,
  ids: ArrayLike<number>,
  rules: Pick<ThinkingRules, "endTokenIds">,
  goesOn = true,
): string {
  const all = Array.from(ids);
  const end = all.findIndex((id) => rules.endTokenIds.includes(id));
  return tokenizer.decode(end < 0 ? all : all.slice(0, end), goesOn);
}

/** The last tokens' text: long enough that a phrase of `length` characters which ends in it is whole. */
function textTail(tokenizer: Tokenizer, length: number): { push(id: number): string; text(): string } {
  let text = "";
  if (tokenizer.tokenBytes) {
    // The phrase is ASCII, so tokens may be decoded one by one: half a character never looks like a letter of it.
    return {
      push: (id) => text = text.slice(-(length - 1)) + tokenizer.tokenText(id),
      text: () => text,
    };
  }
  const ids: number[] = [];
  return {
    push(id) {
      ids.push(id);
      // A token may be empty of text, so the window is by text and only at first guess by tokens.
      let from = Math.max(0, ids.length - length);
      while ((text = tokenizer.decode(ids.slice(from))).length < 2 * length && from > 0) {
        from = Math.max(0, from - length);
      }
      return text;
    },
    text: () => text,
  };
}
