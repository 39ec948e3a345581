import type { Rollout } from "../../model/generation/rollout.ts";
import type { ServedToken } from "../../model/serving/serving_job.ts";
import { boxedContinuation } from "../../eval/answer/box.ts";
import { type ChoiceText, createChoiceText, type TextPiece } from "./choice_text.ts";
import type { ServedModel } from "./served_model.ts";
import type { ChoiceSettings } from "./sequence_settings.ts";
import { type ScoredToken, scoredTokens, topIds } from "./top_tokens.ts";

/** A token of a mixture with its weight. */
export interface TokenWeight {
  token: string;
  weight: number;
}

/** What a thinking step was made of. */
export interface ThoughtStep {
  /** The most probable token, which the reasoning's text has. */
  shadow: string;
  /** The heaviest tokens of the mixture; of ways that draw a token or a few, the likeliest of those that they draw from. */
  mixture: TokenWeight[];
}

/** A token of the answer with ln p, and the likeliest ones in its place. */
export interface TokenLogprob {
  chosen: ScoredToken;
  top: ScoredToken[];
}

/** Some more of a choice. */
export interface ChoicePiece {
  choice: number;
  reasoning: string;
  content: string;
  logprobs: TokenLogprob[];
  steps: ThoughtStep[];
}

/** How a choice ended. */
export interface ChoiceEnd {
  choice: number;
  finishReason: "stop" | "length";
  /** Absent where a stop was found. */
  thinkingEnd?: Rollout["thinkingEnd"];
  answerEnd?: Rollout["answerEnd"];
  /** What stands in the answer's box; null without one. */
  boxed?: string | null;
}

/** Hears of choices as they are made. */
export interface ChoiceListener {
  /** Some more of one. */
  piece(piece: ChoicePiece): void;
  /** One has ended. */
  end(end: ChoiceEnd): void;
}

/** Tokens of a request. */
export interface Usage {
  promptTokens: number;
  completionTokens: number;
  thinkingTokens: number;
}

/** What a request wants to be told of each token. */
export interface Told {
  /** How many likeliest tokens beside it; undefined: no logprobs. */
  logprobs?: number;
  /** What thinking steps are made of. */
  showMixtures: boolean;
}

/** What is to be generated of one prompt, and told. */
export interface ChoicesRequest extends Told {
  /** See `ServingJob`. */
  request: object;
  prompt: readonly number[];
  settings: ChoiceSettings;
  stops: readonly string[];
  /** See `ChoiceTextOptions`. */
  together: boolean;
}

/** Of a mixture the heaviest are told. */
export const MIXTURE_TOKENS = 8;
const LEAST_WEIGHT = 5e-4;

/**
 * Generates the choices of one prompt, and tells them as they come.
 *
 * @throws QueueFullError, or what the device failed with
 */
export async function runChoices(
  { engine, found: { model, tokenizer } }: ServedModel,
  { request, prompt, settings, stops, logprobs, showMixtures, together }: ChoicesRequest,
  tell: ChoiceListener,
  signal: AbortSignal,
): Promise<Usage> {
  const { plain, rules, steps } = settings;
  const usage: Usage = { promptTokens: prompt.length, completionTokens: 0, thinkingTokens: 0 };
  const { usedVocabSize } = model.config;
  const goesOn = prompt.length > (tokenizer.bosId === undefined ? 0 : 1);
  const answers = settings.keys.map(() => "");
  const texts: ChoiceText[] = settings.keys.map(() =>
    createChoiceText({ tokenizer, endTokenIds: rules.endTokenIds, stops, plain, together, goesOn })
  );
  const tellPiece = (choice: number, piece: TextPiece, more: Partial<ChoicePiece> = {}) => {
    const { reasoning, content } = piece;
    answers[choice] += content;
    const { logprobs = [], steps = [] } = more;
    if (reasoning !== "" || content !== "" || logprobs.length + steps.length > 0) {
      tell.piece({ choice, reasoning, content, logprobs, steps });
    }
  };
  const thoughtOf = ({ id, mixture }: ServedToken): ThoughtStep => ({
    shadow: tokenizer.tokenText(id),
    mixture: mixture === undefined ? [] : heaviest(
      mixture.subarray(0, usedVocabSize),
      steps.thinking.thinking.leaves,
      steps.thinking.thinking.tau,
    )
      .map(({ id, weight }) => ({ token: tokenizer.tokenText(id), weight })),
  });
  await engine.submit({
    ...{ request, prompt, steps, rules, plain, signal, keys: settings.keys },
    observed: { logits: logprobs !== undefined, mixture: showMixtures && !plain },
    onTokens(choice, part, tokens) {
      const piece = texts[choice].push(part, tokens);
      const used = tokens.slice(0, piece.used);
      const isThought = part === "thinking" && !plain;
      usage.completionTokens += used.length;
      if (isThought) usage.thinkingTokens += used.length;
      tellPiece(choice, piece, {
        logprobs: logprobs === undefined || (isThought && !together)
          ? []
          : used.map(({ id, logits }) => scoredTokens(logits!, usedVocabSize, id, logprobs)),
        steps: isThought && showMixtures ? used.map(thoughtOf) : [],
      });
      if (!texts[choice].stopped) return false;
      tell.end({ choice, finishReason: "stop" });
      return true;
    },
    onAnswer: (choice, forced) => tellPiece(choice, texts[choice].answer(forced)),
    onEnd(choice, { thinkingEnd, answerEnd }) {
      tellPiece(choice, texts[choice].end());
      const ended = plain ? thinkingEnd : answerEnd;
      tell.end({
        choice,
        finishReason: ended === "limit" ? "length" : "stop",
        thinkingEnd,
        ...(plain ? {} : { answerEnd, boxed: boxedIn(answers[choice]) }),
      });
    },
  });
  return usage;
}

/** What the last box of a text holds. */
function boxedIn(text: string): string | null {
  const at = text.lastIndexOf("\\boxed{");
  return at < 0 ? null : boxedContinuation(text.slice(at + "\\boxed{".length)) ?? null;
}

/** The heaviest tokens of a mixture, or of the distribution that logits stand for. */
function heaviest(values: Float32Array, leaves: "weights" | "logits", tau: number) {
  const ids = topIds(values, MIXTURE_TOKENS);
  const weightOf = leaves === "weights" ? (id: number) => values[id] : softmaxOf(values, tau || 1);
  return ids.map((id) => ({ id, weight: weightOf(id) })).filter(({ weight }) => weight >= LEAST_WEIGHT);
}

function softmaxOf(logits: Float32Array, tau: number): (id: number) => number {
  let top = -Infinity;
  for (const value of logits) if (value > top) top = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp((value - top) / tau);
  return (id) => Math.exp((logits[id] - top) / tau) / sum;
}
