import { type Mutant, mutant } from "./mutant.ts";

const RUN = ["rl/run"];

/** Faults of a run on disk. */
export const DISK_MUTANTS: readonly Mutant[] = [
  mutant(
    "rl/run/run_checkpoints.ts",
    "checkpoints are sorted by their names",
    "sort((a, b) => stepOf(a) - stepOf(b))",
    "sort()",
    RUN,
  ),
  mutant(
    "rl/run/run_checkpoints.ts",
    "the best checkpoint is pruned, too",
    "if (stepOf(name) !== best) Deno.removeSync",
    "if (stepOf(name) !== best || name) Deno.removeSync",
    RUN,
  ),
  mutant(
    "rl/run/run_checkpoints.ts",
    "one checkpoint too many is kept",
    "slice(0, -keep)",
    "slice(0, -keep - 1)",
    RUN,
  ),
  mutant(
    "rl/run/run.ts",
    "lines after the checkpoint stay in the log",
    "return JSON.parse(line).step <= step;",
    "return JSON.parse(line).step <= step + 1;",
    RUN,
  ),
  mutant(
    "rl/run/run.ts",
    "a half-written line stays in the log",
    "return false; // a line that was being written",
    "return true; // a line that was being written",
    RUN,
  ),
  mutant(
    "rl/run/run.ts",
    "two processes may train in one folder",
    "if (file.tryLockSync(true)) return file;",
    "if (file.tryLockSync(true) || file) return file;",
    ["rl/run", "cli/train/train_resume_test.ts"],
  ),
];
