import type { Filters } from "../../gpu/ops/choose/filter.ts";
import { covarianceThinking } from "./covariance.ts";
import { dirichletThinking } from "./dirichlet.ts";
import { gaussianThinking } from "./gaussian.ts";
import { gumbelThinking } from "./gumbel.ts";
import { hardThinking } from "./hard.ts";
import { multiplexThinking } from "./multiplex.ts";
import { mixtureOfInputs, softThinking } from "./soft_thinking.ts";
import type { Thinking } from "./thinking.ts";

/** Ways of thinking that can be trained (method sections 2 and 8). */
export const WAYS = ["hard", "soft", "fuzzy", "multiplex", "gumbel", "dirichlet", "covariance"] as const;

/** One of {@link WAYS}. */
export type Way = typeof WAYS[number];

/** Ways that are for evaluation alone: they have no action to learn from (method section 8). */
export const UNTRAINED_WAYS = ["soft-thinking", "mixture-of-inputs"] as const;

/** One of {@link WAYS} or {@link UNTRAINED_WAYS}. */
export type AnyWay = Way | typeof UNTRAINED_WAYS[number];

/** What each way of mixing a few tokens takes where nobody says. */
export const WAY_DEFAULTS = {
  width: { multiplex: 3, gumbel: 5, dirichlet: 5, covariance: 16 },
  gumbelTau: 0.1,
  alpha: 1,
  eta: 0.3,
  beta: 1,
} as const;

/** Numbers of the ways that mix a few tokens; {@link WAY_DEFAULTS} where they are left out. */
export interface FewTokensOptions {
  /** Tokens of a step: drawn (multiplex) or the likeliest (gumbel, dirichlet, covariance). */
  width?: number;
  /** Temperature of the softmax over noisy logarithms (gumbel). */
  gumbelTau?: number;
  /** Clamped noise and an averaged score over likely tokens alone (gumbel): a surrogate, as published. */
  asPublished?: boolean;
  /** How near the weights are to the probabilities (dirichlet). */
  alpha?: number;
  /** Size of the noise (covariance). */
  eta?: number;
  /** The score of the covariance too (covariance). */
  wholeScore?: boolean;
  /** Weight of the drawn token (mixture-of-inputs). */
  beta?: number;
}

/** The ways of thinking that heed each of these numbers. */
export const HEEDED_BY: Record<keyof FewTokensOptions, readonly AnyWay[]> = {
  width: ["multiplex", "gumbel", "dirichlet", "covariance"],
  gumbelTau: ["gumbel"],
  asPublished: ["gumbel"],
  alpha: ["dirichlet"],
  eta: ["covariance"],
  wholeScore: ["covariance"],
  beta: ["mixture-of-inputs"],
};

/** Those numbers alone, of values that hold more. */
export function mixingOf(options: FewTokensOptions): FewTokensOptions {
  const { width, gumbelTau, asPublished, alpha, eta, wholeScore, beta } = options;
  return { width, gumbelTau, asPublished, alpha, eta, wholeScore, beta };
}

/** How a way of thinking is run. */
export interface WayOptions extends FewTokensOptions {
  /** The most probable token, or no noise. */
  greedy: boolean;
  /** Noise of soft and fuzzy thinking, in units of RMS(E). */
  gamma: number;
  /** Soft and fuzzy: rollouts 2 i and 2 i + 1 have opposite noise; no if left out. */
  antithetic?: boolean;
  /** RMS(E) of the base model. */
  embeddingRms: number;
  /** Temperature of the steps, the way's own where it is left out; hard and greedy have none. */
  tau?: number;
  /** Tokens that hard thinking may draw, never in training; and those that the ways for evaluation mix. */
  filters?: Filters;
}

/** Temperatures of the paper (hard, soft, fuzzy), and 1 for its neighbours. */
export const THINKING_TAU: Record<AnyWay, number> = {
  ...{ hard: 1, soft: 0.5, fuzzy: 1e-4 },
  ...{ multiplex: 1, gumbel: 1, dirichlet: 1, covariance: 1 },
  ...{ "soft-thinking": 1, "mixture-of-inputs": 1 },
};

/**
 * A way of thinking, sampled or greedy.
 * @throws Error if a greedy form is asked of a way that has none: multiplex, whose steps are draws
 */
export function wayOfThinking(way: AnyWay, options: WayOptions): Thinking {
  const { greedy, gamma, embeddingRms: unit, tau = THINKING_TAU[way], filters } = options;
  if (way === "hard") return hardThinking(greedy ? 0 : tau, greedy ? {} : filters);
  if (way === "soft" || way === "fuzzy") {
    return gaussianThinking(way, tau, greedy ? 0 : gamma * unit, options.antithetic);
  }
  if (way === "soft-thinking") return softThinking(tau, filters ?? {});
  if (way === "mixture-of-inputs") {
    return mixtureOfInputs(tau, filters ?? {}, options.beta ?? WAY_DEFAULTS.beta);
  }
  const width = options.width ?? WAY_DEFAULTS.width[way];
  const { gumbelTau = WAY_DEFAULTS.gumbelTau, alpha = WAY_DEFAULTS.alpha, eta = WAY_DEFAULTS.eta } = options;
  const { asPublished = false, wholeScore = false } = options;
  switch (way) {
    case "multiplex":
      if (greedy) throw new Error("Cannot think greedily in multiplex: its steps are draws");
      return multiplexThinking({ tau, width, unit });
    case "gumbel":
      return gumbelThinking({ tau, width, gumbelTau, asPublished, greedy, unit });
    case "dirichlet":
      return dirichletThinking({ tau, width, alpha, greedy, unit });
    case "covariance":
      return covarianceThinking({ tau, width, eta, wholeScore, greedy, unit });
  }
}
