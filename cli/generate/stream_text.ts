import type { Part } from "../../model/generation/rollout.ts";
import { detectEnd, detectTrigger, type ThinkingRules } from "../../model/generation/thinking_text.ts";
import { streamDecoder, type Tokenizer } from "../../model/tokenizer/tokenizer.ts";

/** Writes a rollout's text as its tokens come. */
interface TextStream {
  /** Takes all tokens of a part so far. */
  push(part: Part, ids: readonly number[]): void;
  /** Writes what was held back. */
  end(): void;
}

/**
 * A stream of one rollout's text: thinking, what is forced, answer. Half characters wait for their other half.
 *
 * @param plain nothing is forced
 * @param goesOn a text stands before it
 */
export function streamText(
  tokenizer: Tokenizer,
  rules: ThinkingRules,
  plain: boolean,
  write: (text: string) => void,
  goesOn = true,
): TextStream {
  const detector = plain ? detectEnd(rules) : detectTrigger(tokenizer, rules);
  const shown = { thinking: 0, answer: 0 };
  let decoder = streamDecoder(tokenizer, goesOn);
  const force = () => {
    if (plain || !detector.forced) return;
    write(decoder.end() + tokenizer.decode(rules.forcedIds[detector.forced], true));
    decoder = streamDecoder(tokenizer);
  };
  return {
    push(part, ids) {
      for (const id of ids.slice(shown[part])) {
        shown[part]++;
        if (!rules.endTokenIds.includes(id)) write(decoder.push(id));
        if (part === "thinking" && detector.push(id)) force();
      }
    },
    end: () => write(decoder.end()),
  };
}
