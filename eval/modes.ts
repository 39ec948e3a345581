import { UserError } from "../gpu/errors.ts";
import type { Filters } from "../gpu/ops/choose/filter.ts";
import { gaussianThinking } from "../model/thinking/gaussian.ts";
import { hardThinking } from "../model/thinking/hard.ts";
import type { Thinking } from "../model/thinking/thinking.ts";

/** The six ways to run the thinking of any trained model (method section 6); the answer is greedy in all. */
export const MODES = [
  "hard-greedy",
  "hard-sample",
  "soft-greedy",
  "soft-sample",
  "fuzzy-greedy",
  "fuzzy-sample",
] as const;

/** One of {@link MODES}. */
export type Mode = typeof MODES[number];

/** Samples of each question in a mode, where so many are asked for: a greedy one gives the same again. */
export const samplesIn = (mode: Mode, samples: number): number => mode.endsWith("greedy") ? 1 : samples;

/** A mode made ready for a model. */
export interface InferenceMode {
  /** Which one. */
  name: Mode;
  /** Running it again gives the same tokens: once a question is enough. */
  greedy: boolean;
  /** How it takes its steps. */
  thinking: Thinking;
}

/** Temperatures of the paper. */
export const THINKING_TAU = { hard: 1, soft: 0.5, fuzzy: 1e-4 } as const;

/**
 * A mode with the paper's temperatures.
 *
 * @param gamma noise of the sampling continuous modes, in units of RMS(E)
 * @param embeddingRms RMS(E) of the base model
 * @param filters tokens that hard-sample may draw; the other modes take no notice of them
 * @throws UserError if there is no such mode, naming those there are
 */
export function inferenceMode(
  name: Mode,
  gamma: number,
  embeddingRms: number,
  filters?: Filters,
): InferenceMode {
  if (!MODES.includes(name)) {
    throw new UserError(`Cannot think in the mode ${name}: one of ${MODES.join(", ")} is needed`);
  }
  const [kind, how] = name.split("-") as ["hard" | "soft" | "fuzzy", "greedy" | "sample"];
  const greedy = how === "greedy";
  if (!(gamma >= 0)) throw new UserError(`Cannot think with gamma ${gamma}: a number from 0 on is needed`);
  return { name, greedy, thinking: wayOfThinking(kind, { greedy, gamma, embeddingRms, filters }) };
}

/**
 * A way of thinking, sampled or greedy.
 *
 * @param options `tau`: temperature of the steps, the paper's where it is left out, hard and greedy have none; `filters`:
 * tokens that hard thinking may draw, never in training
 */
export function wayOfThinking(
  kind: "hard" | "soft" | "fuzzy",
  options: { greedy: boolean; gamma: number; embeddingRms: number; tau?: number; filters?: Filters },
): Thinking {
  const { greedy, gamma, embeddingRms, tau = THINKING_TAU[kind], filters } = options;
  if (kind === "hard") return hardThinking(greedy ? 0 : tau, greedy ? {} : filters);
  return gaussianThinking(kind, tau, greedy ? 0 : gamma * embeddingRms);
}
