/**
 * Draws what lines of a sweep over learning rates came to, as one SVG: a colour a way, the mean over seeds with its standard deviation, and the
 * untrained model as a dashed line.
 *
 *     ./softcot sweep docs/sweeps/rates.toml --jobs 2
 *     ./softcot deno run --allow-read docs/draw_rates.ts sweeps/rates/comparison.json > docs/rates.svg
 *     ./softcot deno fmt docs/rates.svg
 *
 * @module
 */
import type { Comparison, ComparisonRow, Spread } from "../cli/compare/comparison.ts";

interface Panel {
  title: string;
  mode: string;
  value: (row: ComparisonRow) => Spread | null | undefined;
}

const COLOURS = ["#d97706", "#2563eb", "#059669", "#9333ea", "#dc2626"];
const [WIDTH, HEIGHT, LEFT, TOP, GAP] = [220, 130, 46, 34, 58];
/** A way at a rate, as a sweep names it: `hard-lr-1e-4`. */
const LINE = /^(.+)-lr-(.+)$/;

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
  const all: Panel[] = [
    { title: "pass@1, greedy tokens", mode: "hard-greedy", value: pass(1) },
    { title: "pass@1, drawn tokens", mode: "hard-sample", value: pass(1) },
    { title: `pass@${most}, drawn tokens`, mode: "hard-sample", value: pass(most) },
    { title: "NLL out of domain", mode: "hard-greedy", value: ({ choices }) => choices[0]?.nll },
  ];
  const panels = all.filter(({ mode, value }) => rows.some((row) => row.mode === mode && value(row)));
  const ways = [...new Set(rows.flatMap(({ line }) => LINE.exec(line)?.[1] ?? []))];
  const drawn = panels.map((panel, i) =>
    `<g transform="translate(${LEFT + i * (WIDTH + GAP)},${TOP})">${drawPanel(panel, rows, ways)}</g>`
  );
  const legend = ways.map((way, i) =>
    `<text x="${LEFT + i * 90}" y="${TOP + HEIGHT + 50}" fill="${COLOURS[i % COLOURS.length]}">${way}</text>`
  );
  const [width, height] = [panels.length * (WIDTH + GAP), TOP + HEIGHT + 60];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">` +
    `<rect width="${width}" height="${height}" fill="white"/>${drawn.join("")}${legend.join("")}</svg>`;
}

function drawPanel({ title, mode, value }: Panel, rows: readonly ComparisonRow[], ways: string[]): string {
  const shown = rows.filter((row) => row.mode === mode && value(row));
  const points = shown.flatMap((row) => {
    const [, way, rate] = LINE.exec(row.line) ?? [];
    return way === undefined ? [] : [{ way, rate: Number(rate), ...value(row)! }];
  });
  const before = value(shown.find(({ step }) => step === 0) ?? shown[0])?.mean;
  const all = points.flatMap(({ mean, sd }) => [mean - (sd ?? 0), mean + (sd ?? 0)]).concat(before ?? []);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const rates = [...new Set(points.map(({ rate }) => rate))].sort((a, b) => a - b);
  const [first, last] = [Math.log(rates[0]), Math.log(rates.at(-1)!)];
  const x = (rate: number) => (((Math.log(rate) - first) / (last - first || 1)) * WIDTH).toFixed(1);
  const y = (one: number) => (HEIGHT - ((one - low) / (high - low || 1)) * HEIGHT).toFixed(1);
  const axis = [low, high].map((one) =>
    `<text x="-6" y="${Number(y(one)) + 4}" text-anchor="end" fill="#555">${one.toFixed(2)}</text>`
  );
  const ticks = rates.map((rate) =>
    `<text x="${x(rate)}" y="${HEIGHT + 16}" text-anchor="middle" fill="#555">${rate.toExponential()}</text>`
  );
  const base = before === undefined
    ? ""
    : `<line x2="${WIDTH}" y1="${y(before)}" y2="${y(before)}" stroke="#999" ` +
      'stroke-dasharray="4 3"/>';
  const curves = ways.map((way, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const own = points.filter((point) => point.way === way).sort((a, b) => a.rate - b.rate);
    const path = own.map(({ rate, mean }) => `${x(rate)},${y(mean)}`).join(" ");
    const bars = own.map(({ rate, mean, sd }) =>
      `<line x1="${x(rate)}" x2="${x(rate)}" y1="${y(mean - (sd ?? 0))}" y2="${
        y(mean + (sd ?? 0))
      }" stroke="${colour}"/>` +
      `<circle cx="${x(rate)}" cy="${y(mean)}" r="3" fill="${colour}"/>`
    );
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${bars.join("")}`;
  });
  return `<text y="-14" fill="#111" font-weight="bold">${title}</text><rect width="${WIDTH}" height="${HEIGHT}" ` +
    `fill="none" stroke="#ddd"/>${base}${axis.join("")}${ticks.join("")}${curves.join("")}`;
}
