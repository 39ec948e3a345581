import type { Filters } from "../../gpu/ops/choose/filter.ts";
import type { Weighting } from "../../gpu/ops/few/few_tokens.ts";
import { covarianceThinking } from "./covariance.ts";
import { dirichletThinking } from "./dirichlet.ts";
import { gaussianThinking } from "./gaussian.ts";
import { gumbelThinking } from "./gumbel.ts";
import { hardThinking } from "./hard.ts";
import { multiplexThinking } from "./multiplex.ts";
import { neighboursThinking } from "./neighbours.ts";
import { noiseOnThinking, type NoisePlace } from "./noise_on.ts";
import { mixtureOfInputs, softThinking } from "./soft_thinking.ts";
import type { Thinking } from "./thinking.ts";

/** Ways of thinking that can be trained (method sections 2 and 8). */
export const WAYS = [
  ...["hard", "soft", "fuzzy"] as const,
  ...["multiplex", "gumbel", "dirichlet", "covariance", "neighbours"] as const,
] as const;

/** One of {@link WAYS}. */
export type Way = typeof WAYS[number];

/** Ways that are for evaluation alone: they have no action to learn from (method section 8). */
export const UNTRAINED_WAYS = ["soft-thinking", "mixture-of-inputs"] as const;

/** One of {@link WAYS} or {@link UNTRAINED_WAYS}. */
export type AnyWay = Way | typeof UNTRAINED_WAYS[number];

/** Trained ways that feed mixtures, but whose actions are drawn tokens: they have no greedy form. */
export const DRAWN_MIXTURES = ["multiplex", "neighbours"] as const satisfies readonly Way[];

/** What the ways of mixing take where nobody says. */
export const WAY_DEFAULTS = {
  width: { multiplex: 3, gumbel: 5, dirichlet: 5, covariance: 16, neighbours: 3 },
  /** Where uniform weights are exact, these; neighbours as published, since the plain mean with tokens unlike it spoils a thought. */
  weighting: { multiplex: "uniform", neighbours: "probability" },
  /** Of noise on the largest logits alone. */
  topLogits: 5,
  rho: 0.1,
  gumbelTau: 0.1,
  alpha: 1,
  eta: 0.3,
  beta: 1,
} as const;

/** What decides how ways mix tokens; {@link WAY_DEFAULTS} where numbers are left out. */
export interface MixingOptions {
  /** What the noise lies on (soft, fuzzy); the embedding if left out. */
  noiseOn?: NoisePlace;
  /** Tokens of a step: drawn (multiplex), the likeliest (gumbel, dirichlet, covariance, noise on top-logits), or neighbours. */
  width?: number;
  /** How tokens are weighed (multiplex, neighbours). */
  weighting?: Weighting;
  /** How often a step is mixed (neighbours). */
  rho?: number;
  /** Temperature of the softmax over noisy logarithms (gumbel). */
  gumbelTau?: number;
  /** Clamped noise and an averaged score over likely tokens alone (gumbel): a surrogate, as published. */
  asPublished?: boolean;
  /** How near the weights are to the probabilities (dirichlet). */
  alpha?: number;
  /** Size of the noise (covariance). */
  eta?: number;
  /** The score of the noise's size too (covariance; soft and fuzzy with noise on logits or hidden rows). */
  wholeScore?: boolean;
  /** Weight of the drawn token (mixture-of-inputs). */
  beta?: number;
}

/** The ways of thinking that heed each of these. */
export const HEEDED_BY: Record<keyof MixingOptions, readonly AnyWay[]> = {
  noiseOn: ["soft", "fuzzy"],
  width: ["multiplex", "gumbel", "dirichlet", "covariance", "neighbours"],
  weighting: ["multiplex", "neighbours"],
  rho: ["neighbours"],
  gumbelTau: ["gumbel"],
  asPublished: ["gumbel"],
  alpha: ["dirichlet"],
  eta: ["covariance"],
  wholeScore: ["covariance"],
  beta: ["mixture-of-inputs"],
};

/** What soft and fuzzy thinking heed beside, by what the noise lies on. */
const HEEDED_WITH: Record<NoisePlace, readonly (keyof MixingOptions)[]> = {
  embedding: [],
  logits: ["wholeScore"],
  "top-logits": ["width", "wholeScore"],
  hidden: ["wholeScore"],
};

/** Whether one of these options decides what a way does. */
export const heeds = (way: AnyWay, name: keyof MixingOptions, noiseOn: NoisePlace = "embedding"): boolean =>
  HEEDED_BY[name].includes(way) || (HEEDED_BY.noiseOn.includes(way) && HEEDED_WITH[noiseOn].includes(name));

/** Those options alone, of values that hold more. */
export function mixingOf(options: MixingOptions): MixingOptions {
  const { noiseOn, width, weighting, rho, gumbelTau, asPublished, alpha, eta, wholeScore, beta } = options;
  return { noiseOn, width, weighting, rho, gumbelTau, asPublished, alpha, eta, wholeScore, beta };
}

/** How a way of thinking is run. */
export interface WayOptions extends MixingOptions {
  /** The most probable token, or no noise. */
  greedy: boolean;
  /** Noise of soft and fuzzy thinking, in units of RMS(E), or of the root mean square of what else it lies on. */
  gamma: number;
  /** Soft and fuzzy, noise on the embedding: rollouts 2 i and 2 i + 1 have opposite noise; no if left out. */
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
  ...{ multiplex: 1, gumbel: 1, dirichlet: 1, covariance: 1, neighbours: 1 },
  ...{ "soft-thinking": 1, "mixture-of-inputs": 1 },
};

/**
 * A way of thinking, sampled or greedy.
 * @throws Error if a greedy form is asked of one of {@link DRAWN_MIXTURES}
 */
export function wayOfThinking(way: AnyWay, options: WayOptions): Thinking {
  const { greedy, gamma, antithetic, embeddingRms, tau, filters } = options;
  const made = { ...mixingOf(options), greedy, gamma, antithetic, embeddingRms, tau, filters };
  return { ...stepsOf(way, options), made: { way, options: made } };
}

function stepsOf(way: AnyWay, options: WayOptions): Thinking {
  const { greedy, tau = THINKING_TAU[way], filters } = options;
  switch (way) {
    case "hard":
      return hardThinking(greedy ? 0 : tau, greedy ? {} : filters);
    case "soft":
    case "fuzzy":
      return noisyThinking(way, tau, options);
    case "soft-thinking":
      return softThinking(tau, filters ?? {});
    case "mixture-of-inputs":
      return mixtureOfInputs(tau, filters ?? {}, options.beta ?? WAY_DEFAULTS.beta);
    case "multiplex":
    case "neighbours":
      if (greedy) throw new Error(`Cannot think greedily in ${way}: its steps are draws`);
      return drawnMixture(way, tau, options);
    default:
      return weighedMixture(way, tau, options);
  }
}

/** Noise on the embedding; or on what the mixture is made from, where there is any: without it, all but the top logits alone are the same. */
function noisyThinking(name: "soft" | "fuzzy", tau: number, options: WayOptions): Thinking {
  const { embeddingRms: unit, noiseOn: on = "embedding", wholeScore = false, antithetic } = options;
  const scale = options.greedy ? 0 : options.gamma;
  if (on === "embedding" || (scale === 0 && on !== "top-logits")) {
    return gaussianThinking(name, tau, scale * unit, antithetic);
  }
  const width = options.width ?? WAY_DEFAULTS.topLogits;
  return noiseOnThinking({ name, tau, on, scale, width, wholeScore, unit });
}

function drawnMixture(way: typeof DRAWN_MIXTURES[number], tau: number, options: WayOptions): Thinking {
  const { embeddingRms: unit, width = WAY_DEFAULTS.width[way] } = options;
  const { weighting = WAY_DEFAULTS.weighting[way] } = options;
  return way === "multiplex"
    ? multiplexThinking({ tau, width, weighting, unit })
    : neighboursThinking({ tau, width, weighting, rho: options.rho ?? WAY_DEFAULTS.rho, unit });
}

function weighedMixture(
  way: "gumbel" | "dirichlet" | "covariance",
  tau: number,
  { greedy, embeddingRms: unit, ...options }: WayOptions,
): Thinking {
  const { width = WAY_DEFAULTS.width[way], asPublished = false, wholeScore = false } = options;
  const { gumbelTau = WAY_DEFAULTS.gumbelTau, alpha = WAY_DEFAULTS.alpha, eta = WAY_DEFAULTS.eta } = options;
  if (way === "gumbel") return gumbelThinking({ tau, width, gumbelTau, asPublished, greedy, unit });
  if (way === "dirichlet") return dirichletThinking({ tau, width, alpha, greedy, unit });
  return covarianceThinking({ tau, width, eta, wholeScore, greedy, unit });
}
