/** A token with its ln p. */
export interface ScoredToken {
  id: number;
  logprob: number;
}

/** ln of the sum of exp of logits, in f64. */
export function logSumExp(logits: Float32Array): number {
  let top = -Infinity;
  for (const value of logits) if (value > top) top = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - top);
  return top + Math.log(sum);
}

/** The ids of the `count` largest values, the largest first; of equal ones the lowest id. */
export function topIds(values: Float32Array, count: number): number[] {
  const ids: number[] = [];
  let least = -Infinity;
  for (let id = 0; id < values.length; id++) {
    if (ids.length === count && !(values[id] > least)) continue;
    let at = ids.length;
    while (at > 0 && values[ids[at - 1]] < values[id]) at--;
    ids.splice(at, 0, id);
    if (ids.length > count) ids.pop();
    least = values[ids[ids.length - 1]];
  }
  return count === 0 ? [] : ids;
}

/**
 * ln p at temperature 1 of a token and of the likeliest ones, before any filter. The softmax runs over all columns of the head, as in the
 * scores of a prompt.
 *
 * @param used columns that are tokens
 */
export function scoredTokens(logits: Float32Array, used: number, id: number, count: number): {
  chosen: ScoredToken;
  top: ScoredToken[];
} {
  const sum = logSumExp(logits);
  const scored = (id: number): ScoredToken => ({ id, logprob: logits[id] - sum });
  return { chosen: scored(id), top: topIds(logits.subarray(0, used), count).map(scored) };
}
