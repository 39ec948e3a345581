import { type Mutant, mutant } from "./mutant.ts";

/** Faults of the server. */
export const SERVING_MUTANTS: readonly Mutant[] = [
  mutant(
    "model/serving/prompt_cache.ts",
    "prompts that are in use make room, too",
    "kept.filter(({ users }) => users === 0).sort(",
    "kept.filter(() => true).sort(",
    ["model/serving/prompt_cache_test.ts"],
  ),
  mutant(
    "model/serving/prompt_cache.ts",
    "the prompt that was used last makes room",
    "(a, b) => a.used - b.used",
    "(a, b) => b.used - a.used",
    ["model/serving/prompt_cache_test.ts"],
  ),
  mutant(
    "model/serving/prompt_cache.ts",
    "a prompt goes with the last who needed it",
    "if (entry.users > 0 || entry.prefilled) return;",
    "if (entry.users > 0) return;",
    ["model/serving/prompt_cache_test.ts"],
  ),
  mutant(
    "model/serving/prompt_cache.ts",
    "a sequence has no rows for the stride past its end",
    "const length = prompt.length - prefixLen + newTokens + STRIDE;",
    "const length = prompt.length - prefixLen + newTokens;",
    ["model/serving"],
  ),
  mutant(
    "cli/serve/top_tokens.ts",
    "of equally likely tokens the last comes first",
    "while (at > 0 && values[ids[at - 1]] < values[id]) at--;",
    "while (at > 0 && values[ids[at - 1]] <= values[id]) at--;",
    ["cli/serve/parts_test.ts"],
  ),
  mutant(
    "cli/serve/stop_text.ts",
    "all but the last character of a stop may pass",
    "let length = Math.min(stop.length - 1, held.length)",
    "let length = Math.min(stop.length - 2, held.length)",
    ["cli/serve/stop_text_test.ts"],
  ),
  mutant(
    "cli/serve/stop_text.ts",
    "a text goes on to the last of several stops",
    "return held.slice(0, Math.min(...found));",
    "return held.slice(0, Math.max(...found));",
    ["cli/serve/stop_text_test.ts"],
  ),
  mutant(
    "cli/serve/api_key.ts",
    "a key in a file has the line's end to it",
    "text = Deno.readTextFileSync(given).trim();",
    "text = Deno.readTextFileSync(given);",
    ["cli/serve/parts_test.ts"],
  ),
];
