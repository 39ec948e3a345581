/**
 * What several runs of one setting came to, seed by seed and pooled: the paired rise of each mode on the test questions,
 * and the accuracy of rollouts over the first and the last ten updates.
 *
 *     deno run -A tests/bench/pool_runs.ts soft-0.json soft-1.json soft-2.json     # results of `softcot train --json`
 */
import type { RunResult } from "../../cli/train/describe_run.ts";
import { table } from "../../cli/terminal/table.ts";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { type Estimate, pairedChange } from "../../eval/measures/pass_at_k.ts";
import type { MetricsLine } from "../../rl/train.ts";
import { jsonLines } from "../support/json_lines.ts";

const results = Deno.args.map((path): RunResult => JSON.parse(Deno.readTextFileSync(path)));
const shares = ({ questions }: ModeResult) => questions.map(({ correct, samples }) => correct / samples);
const told = ({ value, standardError }: Estimate) => `${value.toFixed(3)} ± ${standardError.toFixed(3)}`;
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Each question's mean over runs: the runs share their questions, so these are the independent units. */
function pooled(when: "before" | "after", mode: number): number[] {
  const runs = results.map(({ tests }) => shares(tests[when]![mode]));
  return runs[0].map((_, question) => mean(runs.map((run) => run[question])));
}

/** The mean and its standard error over questions. */
const meanOf = (values: number[]): Estimate => pairedChange(values.map(() => 0), values);

function metricsOf({ run }: RunResult): MetricsLine[] {
  return jsonLines(`${run}/metrics.jsonl`);
}

console.log(table(
  results.map((result) => {
    const lines = metricsOf(result);
    const { before, after } = result.tests;
    const accuracy = (part: MetricsLine[]) => mean(part.map((line) => line.accuracy)).toFixed(3);
    const most = (pick: (line: MetricsLine) => number) => Math.max(...lines.map(pick));
    const rise = pairedChange(shares(before![0]), shares(after![0]));
    return [
      result.run.split("/").at(-1),
      told(before![0].accuracy),
      told(after![0].accuracy),
      told(rise),
      (rise.value / rise.standardError).toFixed(1),
      `${accuracy(lines.slice(0, 10))} to ${accuracy(lines.slice(-10))}`,
      `${
        most((line) =>
          Math.max(line.mismatch_thinking_max, line.mismatch_near_tie_max, line.mismatch_answer_max)
        )
      }`,
      `${lines.reduce((sum, line) => sum + line.spikes, 0)}`,
      result.seconds.toFixed(0),
    ];
  }),
  {
    header: [
      "run",
      "greedy before",
      "after",
      "rise",
      "in errors",
      "rollout accuracy",
      "mismatch",
      "spikes",
      "seconds",
    ],
    align: ["left"],
  },
));
const modes = results[0].tests.before!.map(({ mode }) => mode);
console.log(`\npooled over ${results.length} runs`);
console.log(table(
  modes.map((mode, i) => {
    const [before, after] = [pooled("before", i), pooled("after", i)];
    const rise = pairedChange(before, after);
    const errors = (rise.value / rise.standardError).toFixed(1);
    return [mode, told(meanOf(before)), told(meanOf(after)), told(rise), errors];
  }),
  { header: ["mode", "before", "after", "rise", "in errors"], align: ["left"] },
));
