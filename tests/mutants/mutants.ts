import { CLI_MUTANTS } from "./cli_mutants.ts";
import { DISK_MUTANTS } from "./disk_mutants.ts";
import { EVAL_MUTANTS } from "./eval_mutants.ts";
import { GENERATION_MUTANTS } from "./generation_mutants.ts";
import type { Mutant } from "./mutant.ts";
import { RL_MUTANTS } from "./rl_mutants.ts";
import { SERVING_MUTANTS } from "./serving_mutants.ts";
import { VIEW_MUTANTS } from "./view_mutants.ts";

/** All mutants, room by room. */
export const MUTANTS: readonly Mutant[] = [
  ...RL_MUTANTS,
  ...DISK_MUTANTS,
  ...GENERATION_MUTANTS,
  ...EVAL_MUTANTS,
  ...CLI_MUTANTS,
  ...SERVING_MUTANTS,
  ...VIEW_MUTANTS,
];
