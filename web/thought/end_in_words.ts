import type { RolloutView } from "../data/view_data.ts";

const THINKING_ENDS: Record<string, string> = {
  "trigger": "ended by its own “The final answer is:”",
  "end-token": "ended by an end token",
  "limit": "stopped at its limit",
};

const ANSWER_ENDS: Record<string, string> = {
  "brace": "the box was closed",
  "end-token": "ended by an end token, the box open",
  "limit": "stopped at its limit, the box open",
};

/** What ended the thinking, in words. */
export const thinkingEnd = (end: string): string => THINKING_ENDS[end] ?? end;

/** What ended the answer, in words; empty where it was not kept. */
export const answerEnd = (end: RolloutView["answerEnd"]): string =>
  end === null ? "" : ANSWER_ENDS[end] ?? end;
