/**
 * Learning curves of ways of training side by side: validation accuracy by update, mean and standard deviation over seeds, and the
 * test modes at the end. Runs whose names differ in the number at their end alone (`soft-1`, `soft-2`) are seeds of one way.
 *
 *     deno run -A tests/bench/learning_curves.ts runs/soft-*.json runs/hard-*.json     # results of `softcot train --json`
 */
import { table } from "../../cli/terminal/table.ts";
import type { RunResult } from "../../cli/train/describe_run.ts";
import type { MetricsLine } from "../../rl/train.ts";
import { jsonLines } from "../support/json_lines.ts";

interface Run {
  result: RunResult;
  lines: MetricsLine[];
}

const MODES = ["hard-greedy", "hard-sample", "soft-greedy", "soft-sample"];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean and standard deviation of a sample. */
function told(values: readonly number[]): string {
  const center = mean(values);
  if (values.length < 2) return center.toFixed(3);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return `${center.toFixed(3)} ± ${Math.sqrt(squares / (values.length - 1)).toFixed(3)}`;
}

const wayOf = (path: string) => path.split("/").at(-1)!.replace(/\.json$/, "").replace(/-\d+$/, "");

const runs = Deno.args.map((path) => {
  const result: RunResult = JSON.parse(Deno.readTextFileSync(path));
  return { path, result, lines: jsonLines(`${result.run}/metrics.jsonl`) as MetricsLine[] };
});
const ways = [...Map.groupBy(runs, ({ path }) => wayOf(path))];

const validated = [
  ...new Set(
    runs.flatMap(({ lines }) =>
      lines.filter((line) => line.validation_accuracy !== undefined).map(({ step }) => step)
    ),
  ),
].sort((a, b) => a - b);

function validationAt(runs: readonly Run[], step: number): string {
  const values = runs.map(({ lines }) => lines.find((line) => line.step === step)?.validation_accuracy);
  return values.some((value) => value === undefined) ? "-" : told(values as number[]);
}

/** Seconds of an update at the median. */
function secondsOf(runs: readonly Run[]): string {
  const seconds = runs.flatMap(({ lines }) => lines.map(({ time }) => time.step)).sort((a, b) => a - b);
  return seconds[seconds.length >> 1].toFixed(2);
}

console.log(
  "validation accuracy (greedy, discrete) after so many updates; s: seconds of an update, median\n",
);
console.log(table(
  ways.map(([way, runs]) => [
    way,
    `${runs.length}`,
    ...validated.map((step) => validationAt(runs, step)),
    secondsOf(runs),
  ]),
  { header: ["way", "seeds", ...validated.map(String), "s"] },
));

const accuracyOf = ({ result }: Run, when: "before" | "after", mode: string) =>
  result.tests[when]?.find((test) => test.mode === mode)?.accuracy.value ?? NaN;

console.log("\ntest accuracy, last checkpoint\n");
console.log(table(
  [
    ["before", "", ...MODES.map((mode) => accuracyOf(runs[0], "before", mode).toFixed(3)), ""],
    ...ways.map(([way, runs]) => [
      way,
      `${runs.length}`,
      ...MODES.map((mode) => told(runs.map((run) => accuracyOf(run, "after", mode)))),
      told(runs.map(({ lines }) => mean(lines.slice(-10).map(({ accuracy }) => accuracy)))),
    ]),
  ],
  { header: ["way", "seeds", ...MODES, "rollouts, last ten updates"] },
));
