/** The recipes by name, in the program itself: a bundle carries them along. */
import deepscalerLlama3b from "./deepscaler-llama3b.toml" with { type: "text" };
import gsm8kLlama3b from "./gsm8k-llama3b.toml" with { type: "text" };
import gsm8kLlama8b from "./gsm8k-llama8b.toml" with { type: "text" };
import mathLlama3b from "./math-llama3b.toml" with { type: "text" };
import mathQwen3b from "./math-qwen3b.toml" with { type: "text" };
import sums from "./sums.toml" with { type: "text" };
import sumsSlips from "./sums-slips.toml" with { type: "text" };

/** TOML texts: settings by the flags' names. */
export const RECIPES: Readonly<Record<string, string>> = {
  "sums": sums,
  "sums-slips": sumsSlips,
  "gsm8k-llama3b": gsm8kLlama3b,
  "math-llama3b": mathLlama3b,
  "deepscaler-llama3b": deepscalerLlama3b,
  "gsm8k-llama8b": gsm8kLlama8b,
  "math-qwen3b": mathQwen3b,
};
