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
    "rl/run/cut_log.ts",
    "lines after the checkpoint stay in the log",
    "if (found === undefined || found > step) continue;",
    "if (found === undefined || found > step + 1) continue;",
    RUN,
  ),
  mutant(
    "rl/run/cut_log.ts",
    "a line that is lost in the middle takes the end with it",
    "kept.at(-1)!.start + kept.at(-1)!.bytes !== end",
    "end < 0",
    RUN,
  ),
  mutant(
    "model/files/own_file.ts",
    "two processes may train in one folder",
    "if (file.tryLockSync(true)) return file;",
    "if (file.tryLockSync(true) || file) return file;",
    ["rl/run/run_test.ts"],
  ),
  mutant(
    "rl/run/check_checkpoint.ts",
    "a checkpoint whose bytes changed is whole",
    "sha256Of([path]) === expected",
    "sha256Of([path]) !== undefined",
    RUN,
  ),
  mutant(
    "rl/run/check_checkpoint.ts",
    "the oldest whole checkpoint is gone on from",
    "checkpointsOf(run).reverse()",
    "checkpointsOf(run)",
    RUN,
  ),
];
