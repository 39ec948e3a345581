import { multiplexWay } from "./multiplex.ts";
import type { Mixture, Way } from "./way.ts";

/**
 * Hard thinking (method sections 2 and 3): a token from p(tau), the row is its embedding. A multiplex step of width 1.
 * One uniform: the token by the inverse of the cumulative distribution, in the order of ids.
 */
export function hardWay(tau: number): Way<Mixture> {
  return { ...multiplexWay({ tau, width: 1 }), name: "hard" };
}
