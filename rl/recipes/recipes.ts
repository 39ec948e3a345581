/** The recipes by name, in the program itself: a bundle carries them along. */
import deepscalerLlama3b from "./deepscaler-llama3b.toml" with { type: "text" };
import gsm8kLlama3b from "./gsm8k-llama3b.toml" with { type: "text" };
import gsm8kLlama8b from "./gsm8k-llama8b.toml" with { type: "text" };
import mathLlama3b from "./math-llama3b.toml" with { type: "text" };
import mathQwen3b from "./math-qwen3b.toml" with { type: "text" };
import sumsCovariance from "./sums-covariance.toml" with { type: "text" };
import sumsDirichlet from "./sums-dirichlet.toml" with { type: "text" };
import sumsFuzzy from "./sums-fuzzy.toml" with { type: "text" };
import sumsGumbel from "./sums-gumbel.toml" with { type: "text" };
import sumsHard from "./sums-hard.toml" with { type: "text" };
import sumsMultiplex from "./sums-multiplex.toml" with { type: "text" };
import sumsNeighbours from "./sums-neighbours.toml" with { type: "text" };
import sumsSoft from "./sums-soft.toml" with { type: "text" };

/** TOML texts: settings by the flags' names. */
export const RECIPES: Readonly<Record<string, string>> = {
  "sums-soft": sumsSoft,
  "sums-hard": sumsHard,
  "sums-fuzzy": sumsFuzzy,
  "sums-multiplex": sumsMultiplex,
  "sums-gumbel": sumsGumbel,
  "sums-dirichlet": sumsDirichlet,
  "sums-covariance": sumsCovariance,
  "sums-neighbours": sumsNeighbours,
  "gsm8k-llama3b": gsm8kLlama3b,
  "math-llama3b": mathLlama3b,
  "deepscaler-llama3b": deepscalerLlama3b,
  "gsm8k-llama8b": gsm8kLlama8b,
  "math-qwen3b": mathQwen3b,
};
