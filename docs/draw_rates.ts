/**
 * Draws what lines of a sweep over learning rates came to, as one SVG: the mean over seeds with its standard deviation, and the untrained model as
 * a dashed line.
 *
 *     ./softcot sweep docs/sweeps/rates.toml --jobs 2
 *     ./softcot deno run --allow-read docs/draw_rates.ts sweeps/rates/comparison.json > docs/rates.svg
 *     ./softcot deno fmt docs/rates.svg
 *
 * @module
 */
import type { Comparison } from "../cli/compare/comparison.ts";
import type { ComparisonRow, Spread } from "../cli/compare/comparison_rows.ts";
import { type DrawnPanel, drawPanels } from "./draw_panels.ts";

/** A way at a rate, as a sweep names it: `hard-lr-1e-4` or `lr-1e-4-hard`. */
const LINE = /^(?:(.+)-)?lr-(\d[\d.]*e?-?\d*)(?:-(.+))?$/;

if (import.meta.main) {
  if (Deno.args.length !== 1) {
    console.error(
      "error: Cannot draw: one file is needed\nhint: draw_rates.ts SWEEP/comparison.json > rates.svg",
    );
    Deno.exit(2);
  }
  console.log(drawRates(JSON.parse(Deno.readTextFileSync(Deno.args[0]))));
}

/** The picture of a comparison whose lines are ways at rates. */
export function drawRates({ rows }: Comparison): string {
  const most = Math.max(...rows.flatMap(({ passAt }) => passAt.map(({ k }) => k)));
  const pass = (k: number) => ({ passAt }: ComparisonRow) => passAt.find((one) => one.k === k);
  const nll = ({ choices }: ComparisonRow) => choices[0]?.nll;
  return drawPanels([
    panel(rows, "pass@1, greedy tokens", "hard-greedy", pass(1)),
    panel(rows, "pass@1, drawn tokens", "hard-sample", pass(1)),
    panel(rows, `pass@${most}, drawn tokens`, "hard-sample", pass(most)),
    panel(rows, "NLL out of domain", "hard-greedy", nll),
  ]);
}

function panel(
  rows: readonly ComparisonRow[],
  title: string,
  mode: string,
  value: (row: ComparisonRow) => Spread | undefined,
): DrawnPanel {
  const own = rows.filter((row) => row.mode === mode && value(row));
  const level = own.find(({ step }) => step === 0);
  const points = own.flatMap((row) => {
    const [, before, rate, after] = LINE.exec(row.line) ?? [];
    const { mean, sd } = value(row)!;
    return rate === undefined ? [] : [{ name: before ?? after ?? "", x: Number(rate), y: mean, sd }];
  }).sort((a, b) => a.x - b.x);
  const curves = [...Map.groupBy(points, ({ name }) => name)].map(([name, points]) => ({ name, points }));
  return {
    ...{ title, below: "learning rate", logarithmic: true, curves },
    level: level && value(level)?.mean,
  };
}
