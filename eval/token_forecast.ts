/** Tokens that rollouts came to so far, and how many more are to be expected. */
export interface TokenForecast {
  /** More tokens, whichever rollout they belong to. */
  generated(count: number): void;
  /** A rollout has ended, all whose tokens were told. */
  ended(tokens: number): void;
  /** A rollout that ended in an earlier process: it tells how long others may become. */
  known(tokens: number): void;
  /** Told so far, known ones apart. */
  readonly tokens: number;
  /** Of so many rollouts that have not ended: what they are expected to come to yet, and at most. */
  left(unfinished: number): { expected: number; most: number };
}

/**
 * Forecasts the tokens of rollouts that end somewhere before a limit. Those that end first are the short ones, so their mean
 * alone would promise too much: all tokens over the number of ends is the mean length if the chance to end is the same at
 * every token (the maximum likelihood estimate of censored exponential lengths).
 *
 * @param longest most tokens of a rollout
 */
export function createTokenForecast(longest: number): TokenForecast {
  let [tokens, underWay, knownTokens, ends] = [0, 0, 0, 0];
  return {
    generated(count) {
      tokens += count;
      underWay += count;
    },
    ended(count) {
      underWay -= count;
      ends++;
    },
    known(count) {
      knownTokens += count;
      ends++;
    },
    get tokens() {
      return tokens;
    },
    left(unfinished) {
      const most = Math.max(0, unfinished * longest - underWay);
      if (ends === 0) return { expected: most, most };
      return { expected: Math.min(most, unfinished * (tokens + knownTokens) / ends), most };
    },
  };
}
