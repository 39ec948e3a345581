import type { Step, Weighed } from "../data/view_data.ts";

/** One part of a step's stack. */
export interface StackPart {
  /** Null of what is left out. */
  token: Weighed | null;
  /** Share of the step, 0 to 1. */
  share: number;
}

/**
 * What a step's stack is made of, from the top: the tokens mixed by weight; of a token that was drawn its probability; and what is left
 * out of either. Empty where neither was kept.
 */
export function stackParts({ token, text, logp, mixture }: Step): StackPart[] {
  const tokens = mixture ??
    (logp === null ? [] : [{ token, text, weight: probability(logp), probability: null }]);
  if (tokens.length === 0) return [];
  const parts: StackPart[] = tokens.map((one) => ({ token: one, share: one.weight }));
  const left = 1 - parts.reduce((sum, { share }) => sum + share, 0);
  return left > LEAST ? [...parts, { token: null, share: left }] : parts;
}

/** Weights have four digits: less is what was rounded away. */
const LEAST = 0.0015;

/** The probability that a log-probability (nats) stands for. */
export const probability = (logp: number): number => Math.min(1, Math.exp(logp));

/** How the step was undecided, in words for those who hear it: its tokens with their shares. */
export function spokenParts(parts: readonly StackPart[], name: (text: string) => string): string {
  const spoken = parts.slice(0, 3).map(({ token, share }) =>
    `${token ? name(token.text) : "others"} ${share.toFixed(2)}`
  );
  return spoken.join(", ") + (parts.length > 3 ? `, ${parts.length - 3} more` : "");
}

/** How much of the scale's colour an entropy (nats) takes, 0 to 1: the scale ends at 2 nats, about seven equal choices. */
export const entropyShare = (entropy: number | null): number =>
  entropy === null ? 0 : Math.min(1, Math.sqrt(Math.max(0, entropy) / ENTROPY_TOP));

/** Where the colour scale ends, in nats. */
export const ENTROPY_TOP = 2;
