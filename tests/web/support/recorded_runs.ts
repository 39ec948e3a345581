import { succeed } from "../../cli/support/run_softcot.ts";
import { root } from "../../support/places.ts";

/** A task whose few questions come again and again. */
const TASK = `${root}tests/web/fixtures/three_sums.ts`;

const SHORT = {
  ...{ task: TASK, model: "builtin", questions: 2, group: 4, "sample-every": 2, "test-questions": 0 },
};

/** `train` in a few seconds, every second update kept; both ways see the same questions in the same order. */
export function shortTraining(out: string, flags: Record<string, string | number>): string[] {
  const all = Object.entries({ ...SHORT, out, ...flags });
  return ["train", "--quiet", ...all.flatMap(([name, value]) => [`--${name}`, `${value}`])];
}

/** Makes runs of the real program in a folder: `soft` with a profile and tests, `hard`, and of `soft` an evaluation in three modes, `results`. */
export async function recordRuns(folder: string): Promise<void> {
  const soft = {
    thinking: "soft",
    steps: 6,
    "validate-every": 3,
    "validation-questions": 2,
    "test-questions": 2,
  };
  await Promise.all([
    succeed([...shortTraining(`${folder}/soft`, soft), "--profile"]),
    succeed(shortTraining(`${folder}/hard`, { thinking: "hard", steps: 6, "validate-every": 0 })),
  ]);
  const modes = "hard-sample,soft-sample,fuzzy-sample";
  await succeed([
    ...["eval", TASK, "--model", `${folder}/soft`, "--mode", modes, "--samples", "2", "--max-thinking", "40"],
    ...["--keep-mixtures", "2", "--out", `${folder}/results`, "--quiet"],
  ]);
}
