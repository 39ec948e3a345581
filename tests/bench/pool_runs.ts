/**
 * What several runs of one setting came to, seed by seed and pooled: the paired rise of each mode on the test questions,
 * and the accuracy of rollouts over the first and the last ten updates.
 *
 *     deno run -A tests/bench/pool_runs.ts soft-0.json soft-1.json soft-2.json     # results of `softcot train --json`
 */
import type { RunResult } from "../../cli/train_report.ts";
import { table } from "../../cli/table.ts";
import type { ModeResult } from "../../eval/mode_result.ts";
import { type Estimate, pairedChange } from "../../eval/pass_at_k.ts";
import type { MetricsLine } from "../../rl/train.ts";

const results = Deno.args.map((path): RunResult => JSON.parse(Deno.readTextFileSync(path)));
const shares = ({ questions }: ModeResult) => questions.map(({ correct, samples }) => correct / samples);
const told = ({ value, standardError }: Estimate) => `${value.toFixed(3)} ± ${standardError.toFixed(3)}`;
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean over runs; runs are independent given the questions, so their errors add in quadrature. */
function pool(estimates: Estimate[]): Estimate {
  const standardError = Math.sqrt(estimates.reduce((sum, one) => sum + one.standardError ** 2, 0)) /
    estimates.length;
  return {
    value: mean(estimates.map(({ value }) => value)),
    standardError,
    questions: estimates[0].questions,
  };
}

function metricsOf({ run }: RunResult): MetricsLine[] {
  return Deno.readTextFileSync(`${run}/metrics.jsonl`).trim().split("\n").map((line) => JSON.parse(line));
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
    const rise = pool(
      results.map(({ tests }) => pairedChange(shares(tests.before![i]), shares(tests.after![i]))),
    );
    const part = (when: "before" | "after") =>
      told(pool(results.map(({ tests }) => tests[when]![i].accuracy)));
    return [mode, part("before"), part("after"), told(rise), (rise.value / rise.standardError).toFixed(1)];
  }),
  { header: ["mode", "before", "after", "rise", "in errors"], align: ["left"] },
));
