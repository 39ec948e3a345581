import type { Part } from "../../model/generation/rollout.ts";
import type { ServedToken } from "../../model/serving/serving_job.ts";
import { streamDecoder, type Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { createStopText } from "./stop_text.ts";

/** How a choice's text is told. */
export interface ChoiceTextOptions {
  tokenizer: Tokenizer;
  /** Ids that end a part, and are not shown. */
  endTokenIds: readonly number[];
  /** The texts to stop at. */
  stops: readonly string[];
  /** Nothing is forced: all is the answer. */
  plain: boolean;
  /** Thinking, forced text and answer are one text, as completions have it; in a chat the thinking is apart. */
  together: boolean;
  /** A text stands before it. */
  goesOn: boolean;
}

/** Some more text of a choice. */
export interface TextPiece {
  reasoning: string;
  content: string;
  /** How many of the tokens it is made of: those behind a stop are left out. */
  used: number;
}

/** The text of one choice as its tokens come. */
export interface ChoiceText {
  push(part: Part, tokens: readonly ServedToken[]): TextPiece;
  /** Thinking has ended: the text that is put before the answer. */
  answer(forced: readonly number[]): TextPiece;
  /** What was held back. */
  end(): TextPiece;
  readonly stopped: boolean;
}

/** What the answer in a chat begins with: that of the forced text which is no trigger. */
const BOX = "\\boxed{";

/** Half characters wait for their other half, and what may become a stop for what follows. */
export function createChoiceText(
  { tokenizer, endTokenIds, stops, plain, together, goesOn }: ChoiceTextOptions,
): ChoiceText {
  const stop = createStopText(stops);
  let decoder = streamDecoder(tokenizer, goesOn);
  let isAnswer = plain;
  const shown = (text: string, used = 0): TextPiece =>
    isAnswer || together
      ? { reasoning: "", content: stop.push(text), used }
      : { reasoning: text, content: "", used };
  return {
    push(_part, tokens) {
      const piece: TextPiece = { reasoning: "", content: "", used: 0 };
      for (const { id } of tokens) {
        if (stop.stopped) break;
        const { reasoning, content } = shown(endTokenIds.includes(id) ? "" : decoder.push(id));
        piece.reasoning += reasoning;
        piece.content += content;
        piece.used++;
      }
      return piece;
    },
    answer(forced) {
      const rest = shown(decoder.end());
      decoder = streamDecoder(tokenizer);
      isAnswer = true;
      const { content } = shown(together ? tokenizer.decode(forced, true) : BOX);
      return { ...rest, content: rest.content + content };
    },
    end() {
      const { reasoning, content } = shown(decoder.end());
      return { reasoning, content: content + stop.end(), used: 0 };
    },
    get stopped() {
      return stop.stopped;
    },
  };
}
