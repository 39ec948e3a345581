import { UserError } from "../gpu/errors.ts";
import type { Filters } from "../gpu/ops/choose/filter.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import { type AnyWay, type MixingOptions, type Way, wayOfThinking } from "../model/thinking/ways.ts";

/** The six ways to run the thinking of any trained model (method section 6); the answer is greedy in all. */
export const MODES = [
  "hard-greedy",
  "hard-sample",
  "soft-greedy",
  "soft-sample",
  "fuzzy-greedy",
  "fuzzy-sample",
] as const;

/** Those, and the ways of the method's neighbours (section 8). */
export const ALL_MODES = [
  ...MODES,
  "multiplex-sample",
  "gumbel-greedy",
  "gumbel-sample",
  "dirichlet-greedy",
  "dirichlet-sample",
  "covariance-greedy",
  "covariance-sample",
  "neighbours-sample",
  "soft-thinking",
  "mixture-of-inputs",
] as const;

/** One of {@link ALL_MODES}. */
export type Mode = typeof ALL_MODES[number];

/** The modes that show what training in some way came to: the six, and its own where it is none of theirs. */
export const modesOf = (way: Way): readonly Mode[] => [
  ...MODES,
  ...ALL_MODES.slice(MODES.length).filter((mode) => wayOf(mode) === way),
];

/** Whether a mode gives the same tokens whenever it is run: once a question is enough. */
export const isGreedy = (mode: Mode): boolean => mode.endsWith("greedy") || mode === "soft-thinking";

/** The way of thinking of a mode. */
export const wayOf = (mode: Mode): AnyWay => mode.replace(/-(greedy|sample)$/, "") as AnyWay;

/** Samples of each question in a mode, where so many are asked for: a greedy one gives the same again. */
export const samplesIn = (mode: Mode, samples: number): number => isGreedy(mode) ? 1 : samples;

/** A mode made ready for a model. */
export interface InferenceMode {
  /** Which one. */
  name: Mode;
  /** Running it again gives the same tokens: once a question is enough. */
  greedy: boolean;
  /** How it takes its steps. */
  thinking: Thinking;
}

/**
 * A mode with the temperatures of its way.
 *
 * @param gamma noise of the sampling soft and fuzzy modes, in units of RMS(E) or of what else it lies on
 * @param embeddingRms RMS(E) of the base model
 * @param filters tokens that hard-sample may draw; the other modes take no notice of them
 * @param mixing how the ways mix tokens
 * @param tau temperature of the steps, each way's own where it is left out
 * @throws UserError if there is no such mode, naming those there are
 */
export function inferenceMode(
  name: Mode,
  gamma: number,
  embeddingRms: number,
  filters?: Filters,
  mixing: MixingOptions = {},
  tau?: number,
): InferenceMode {
  if (!ALL_MODES.includes(name)) {
    throw new UserError(`Cannot think in the mode ${name}: one of ${ALL_MODES.join(", ")} is needed`);
  }
  const greedy = isGreedy(name);
  if (!(gamma >= 0)) throw new UserError(`Cannot think with gamma ${gamma}: a number from 0 on is needed`);
  return {
    name,
    greedy,
    thinking: wayOfThinking(wayOf(name), { ...mixing, greedy, gamma, embeddingRms, filters, tau }),
  };
}
