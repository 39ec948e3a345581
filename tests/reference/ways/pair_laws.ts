/** Laws of rows that mix the two likeliest tokens, by one number: the likeliest's share. */
import { gaussHermite } from "../gauss_hermite.ts";
import type { CovarianceOptions } from "./covariance.ts";
import type { DirichletOptions } from "./dirichlet.ts";
import { gaussJacobi } from "./gauss_jacobi.ts";
import type { GumbelOptions } from "./gumbel.ts";
import { type Law, mix } from "./laws.ts";
import { pick, probabilitiesOf, topTokens } from "./way.ts";

/** Beyond this the logistic law has less than 1e-7. */
const REACH = 17;

/** Shares of the likeliest token and how probable each is. */
interface Shares {
  nodes: number[];
  weights: number[];
}

/**
 * Gumbel weights of two tokens, not as published: a share is the sigmoid of (the difference of ln p^ + G1 - G2) / gumbelTau, and G1 - G2 is
 * logistic. Summed over a lattice, which converges exponentially for integrands as smooth as these.
 */
export function gumbelPairLaw({ tau, gumbelTau = 0.1 }: GumbelOptions, spacing = 0.8 * gumbelTau): Law {
  const pieces = Math.ceil(REACH / spacing);
  const points = Array.from({ length: 2 * pieces + 1 }, (_, i) => (i - pieces) * spacing);
  const weights = points.map((x) => spacing / (2 * Math.cosh(x / 2)) ** 2);
  return pairLaw(tau, (p) => ({
    nodes: points.map((x) => 1 / (1 + Math.exp(-(Math.log(p / (1 - p)) + x) / gumbelTau))),
    weights,
  }));
}

/** Dirichlet weights of two tokens: a share is Beta(alpha p^, alpha (1 - p^)), integrated after Gauss and Jacobi. */
export const dirichletPairLaw = ({ tau, alpha }: DirichletOptions, nodes: number): Law =>
  pairLaw(tau, (p) => gaussJacobi(nodes, alpha * p, alpha * (1 - p)));

/** A share of mean p^ and variance eta^2 p^ (1 - p^), as a drawn token's at eta 1, and normal. */
export function covariancePairLaw({ tau, eta }: CovarianceOptions, nodes: number): Law {
  const normal = gaussHermite(nodes);
  return pairLaw(tau, (p) => ({
    nodes: normal.nodes.map((x) => p + eta * Math.sqrt(p * (1 - p)) * x),
    weights: normal.weights,
  }));
}

function pairLaw(tau: number, sharesOf: (p: number) => Shares): Law {
  return (input) => {
    const tokens = topTokens(input.logits, 2);
    const { nodes, weights } = sharesOf(probabilitiesOf(pick(input.logits, tokens), tau)[0]);
    return { weights, rows: mix(Float64Array.from(nodes.flatMap((x) => [x, 1 - x])), tokens, input) };
  };
}
