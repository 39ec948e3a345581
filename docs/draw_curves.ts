/**
 * Draws pass@k, entropy and out-of-domain NLL against pass@1 over the checkpoints of a sweep's lines, as one SVG: from the untrained model,
 * where all begin, to the end of training. What only follows from how far a model has moved lies on one curve.
 *
 *     ./softcot compare sweeps/claims --checkpoints --mode hard-sample --json > curves.json
 *     ./softcot deno run --allow-read docs/draw_curves.ts curves.json > docs/claims.svg
 *     ./softcot deno fmt docs/claims.svg
 *
 * @module
 */
import type { Comparison } from "../cli/compare/comparison.ts";
import type { ComparisonRow, Spread } from "../cli/compare/comparison_rows.ts";
import { type DrawnPanel, drawPanels } from "./draw_panels.ts";

if (import.meta.main) {
  if (Deno.args.length !== 1) {
    console.error("error: Cannot draw: one file is needed\nhint: draw_curves.ts curves.json > curves.svg");
    Deno.exit(2);
  }
  console.log(drawCurves(JSON.parse(Deno.readTextFileSync(Deno.args[0]))));
}

/** The picture of a comparison of one mode over checkpoints. */
export function drawCurves({ rows }: Comparison): string {
  const most = Math.max(...rows.flatMap(({ passAt }) => passAt.map(({ k }) => k)));
  const pass = (k: number) => ({ passAt }: ComparisonRow) => passAt.find((one) => one.k === k);
  return drawPanels([
    panel(rows, `pass@${most}`, pass(most)),
    panel(rows, "entropy of the thinking, nats", ({ entropy }) => entropy),
    panel(rows, "NLL out of domain", ({ choices }) => choices[0]?.nll),
  ]);

  function panel(
    rows: readonly ComparisonRow[],
    title: string,
    value: (row: ComparisonRow) => Spread | null | undefined,
  ): DrawnPanel {
    const begin = rows.filter(({ step }) => step === 0);
    const lines = Map.groupBy(rows.filter(({ step }) => step > 0), ({ line }) => line);
    const curves = [...lines].map(([name, own]) => ({
      name,
      points: [...begin.slice(0, 1), ...own].flatMap((row) => {
        const [x, y] = [pass(1)(row), value(row)];
        return x && y ? [{ x: x.mean, y: y.mean, sd: y.sd }] : [];
      }),
    }));
    return { title, below: "pass@1, drawn tokens", curves };
  }
}
