/**
 * Judges what hard and soft training came to over learning rates, by the rule of docs/claims.md ("Learning rates"), as Markdown:
 *
 *     ./softcot deno run --allow-read docs/judge_rates.ts sweeps/rates
 *
 * @module
 */
import { markdownTable } from "../cli/compare/comparison_table.ts";
import { crossedDifference, crossedMean, type LineValues } from "../cli/compare/crossed.ts";
import { endOf, passOf, pointsOf, valuesAt } from "../cli/compare/line_values.ts";
import { type Line, sweepLines } from "../cli/compare/lines_of.ts";
import { judge, type Part } from "../cli/sweep/claims/judge.ts";

if (import.meta.main) {
  if (Deno.args.length !== 1) {
    console.error("error: Cannot judge: one sweep is needed\nhint: judge_rates.ts sweeps/rates");
    Deno.exit(2);
  }
  console.log(judgeRates(Deno.args[0]));
}

/** The verdicts of a sweep whose lines are `hard-lr-R` and `soft-lr-R`. */
export function judgeRates(folder: string): string {
  const names = [...Deno.readDirSync(`${folder}/runs`)].map(({ name }) => name).sort();
  const { lines } = sweepLines(
    folder,
    Object.fromEntries(names.map((run) => [run, run.replace(/-seed-\d+$/, "")])),
  );
  const rates = [...new Set(lines.flatMap(({ name }) => /^hard-lr-(.+)$/.exec(name)?.[1] ?? []))]
    .sort((a, b) => Number(a) - Number(b));
  return ["hard-greedy", "hard-sample"].map((mode) => judged(lines, rates, mode)).join("\n\n");
}

function judged(lines: readonly Line[], rates: readonly string[], mode: string): string {
  const right = (way: string, rate: string) => rightOf(lines, `${way}-lr-${rate}`, mode);
  const mean = (way: string, rate: string) => crossedMean(right(way, rate).values);
  const best = (way: string) =>
    rates.reduce((one, other) => mean(way, other).value > mean(way, one).value ? other : one);
  const [hard, soft] = [best("hard"), best("soft")];
  const above = (what: string, line: LineValues, other: LineValues) =>
    judge(what, crossedDifference(line, other), 0);
  const parts = [
    ...rates.map((rate) => above(`soft - hard at ${rate}`, right("soft", rate), right("hard", rate))),
    above(`soft at its best ${soft} - at hard's best ${hard}`, right("soft", soft), right("soft", hard)),
    above("soft - hard, each at its best", right("soft", soft), right("hard", hard)),
  ];
  return [
    `Pass@1, ${mode}. Best rates: hard ${hard}, soft ${soft}.`,
    markdownTable(
      ["rate", "hard", "soft"],
      rates.map((rate) => [rate, ...["hard", "soft"].map((way) => shown(mean(way, rate)))]),
    ),
    markdownTable(
      ["q", "q ± s", "q / s", "above 0"],
      parts.map((part) => [part.what, shown(part), part.errors?.toFixed(1) ?? "-", part.verdict]),
    ),
  ].join("\n\n");
}

/** The chance of a right answer at one try, by run and question. */
function rightOf(lines: readonly Line[], name: string, mode: string): LineValues {
  const line = lines.find((one) => one.name === name);
  const values = line && valuesAt(pointsOf(line, endOf(line)), passOf("sums-slips", mode, 1));
  if (values === undefined) throw new Error(`Cannot judge the rates: ${name} has not been measured`);
  return values;
}

function shown({ value, standardError }: Pick<Part, "value" | "standardError">): string {
  return value === null ? "-" : `${value.toFixed(3)} ± ${standardError?.toFixed(3) ?? "?"}`;
}
