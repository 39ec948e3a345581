import { UserError } from "../../gpu/errors.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { ChoiceQuestion } from "./choice_task.ts";
import { pythonRstrip } from "./python_strip.ts";

/** A context with what may follow it, as token ids: scored in one pass, in which all share the context's rows. */
export interface ChoiceGroup {
  context: readonly number[];
  /** Which of the question's choices these are. */
  choices: number[];
  /** Tokens of each; at least one. */
  continuations: number[][];
}

/** A question ready to be scored. */
export interface EncodedChoices {
  /** One, unless choices must cut the context at different places. */
  groups: ChoiceGroup[];
  /** Choices whose context lost tokens at its beginning. */
  truncated: number;
}

/**
 * Token ids of a question's context and choices, as lm-evaluation-harness makes them: white space at the context's end
 * goes to the choices; context and choice are encoded as one text, which is split after as many tokens as the context has
 * alone; beginning-of-sequence comes first if the tokenizer's own configuration says so. What exceeds the model's context is cut
 * from the left, for each choice by itself.
 *
 * @param maxPosition positions that the model knows
 * @throws UserError if a choice alone exceeds the model's context, or gives no token of its own
 */
export function encodeChoices(
  tokenizer: Tokenizer,
  { id, context: text, choices }: ChoiceQuestion,
  maxPosition: number,
): EncodedChoices {
  const start = tokenizer.bosId === undefined ? [] : [tokenizer.bosId];
  const encode = (text: string) => [...start, ...tokenizer.encode(text)];
  const before = pythonRstrip(text);
  const between = text.slice(before.length) + " ";
  const context = encode(before);
  const whole: ChoiceGroup = { context, choices: [], continuations: [] };
  const cut: ChoiceGroup[] = [];
  choices.forEach((choice, index) => {
    const tokens = encode(before + between + choice).slice(context.length);
    if (tokens.length === 0 || tokens.length > maxPosition) {
      throw new UserError(
        `Cannot score choice ${index + 1} of question ${id}: it has ${tokens.length} tokens, ` +
          `1 to ${maxPosition} (the model's context) are needed`,
      );
    }
    // The last token of a choice is predicted, but never an input.
    const room = maxPosition + 1 - tokens.length;
    if (context.length > room) {
      cut.push({ context: context.slice(-room), choices: [index], continuations: [tokens] });
    } else {
      whole.choices.push(index);
      whole.continuations.push(tokens);
    }
  });
  return { groups: whole.choices.length > 0 ? [whole, ...cut] : cut, truncated: cut.length };
}

/** Rows that a group takes in a pass. */
export function rowsOfGroup({ context, continuations }: ChoiceGroup): number {
  return continuations.reduce((sum, tokens) => sum + tokens.length - 1, context.length);
}
