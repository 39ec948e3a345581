/**
 * Draws the metrics of runs as one SVG, a colour a run: the picture in README.md. Thin lines show every update, bold
 * ones the mean of the last ten.
 *
 *     ./softcot deno run --allow-read docs/draw_run.ts runs/sums-soft [more runs] > docs/train.svg
 *     ./softcot deno fmt docs/train.svg
 *
 * @module
 */

type Line = Record<string, number>;

/** A run and the lines of its metrics.jsonl. */
interface DrawnRun {
  name: string;
  lines: readonly Line[];
}

interface Panel {
  title: string;
  key: string;
  /** Drawn as dots where a line has it. */
  dots?: string;
  /** The lowest and highest value of the axis; the data's own where left out. */
  range?: [number, number];
}

const PANELS: readonly Panel[] = [
  {
    title: "right answers: rollouts, and validation (dots)",
    key: "accuracy",
    dots: "validation_accuracy",
    range: [0, 1],
  },
  { title: "thinking, tokens a rollout", key: "thinking_tokens" },
  { title: "entropy of the thinking, nats", key: "thinking_entropy" },
];
const COLOURS = ["#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626"];
const [WIDTH, HEIGHT, LEFT, TOP, GAP] = [250, 130, 46, 34, 58];

if (import.meta.main) {
  if (Deno.args.length === 0) {
    console.error(
      "error: Cannot draw: no run is named\nhint: draw_run.ts runs/NAME [more runs] > picture.svg",
    );
    Deno.exit(2);
  }
  console.log(drawRuns(Deno.args.map((folder) => ({ name: folder, lines: readMetrics(folder) }))));
}

function readMetrics(folder: string): Line[] {
  const text = Deno.readTextFileSync(`${folder}/metrics.jsonl`);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** The picture of some runs. */
function drawRuns(runs: readonly DrawnRun[]): string {
  const width = PANELS.length * (WIDTH + GAP);
  const height = TOP + HEIGHT + 58;
  const panels = PANELS.map((panel, i) =>
    `<g transform="translate(${LEFT + i * (WIDTH + GAP)} ${TOP})">${drawPanel(panel, runs)}</g>`
  );
  const legend = runs.map(({ name }, i) =>
    `<text x="${LEFT + i * 200}" y="${height - 8}" fill="${COLOURS[i % COLOURS.length]}">${
      label(name)
    }</text>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="${width}" height="${height}" rx="6" fill="#fff"/>
${panels.join("\n")}
${legend.join("")}
</svg>`;
}

function drawPanel({ title, key, dots, range }: Panel, runs: readonly DrawnRun[]): string {
  const all = runs.flatMap(({ lines }) => lines);
  const values = all.flatMap((line) =>
    [line[key], dots ? line[dots] : undefined].filter((v) => v !== undefined)
  );
  const [low, high] = range ?? [0, ceiling(Math.max(...values))];
  const last = Math.max(...all.map(({ step }) => step));
  const x = (step: number) => (WIDTH * step / last).toFixed(1);
  const y = (value: number) => (HEIGHT * (1 - (value - low) / (high - low))).toFixed(1);
  const grid = [low, (low + high) / 2, high].map((value) =>
    `<path d="M0 ${y(value)}H${WIDTH}" stroke="#ddd"/>` +
    `<text x="-6" y="${Number(y(value)) + 4}" text-anchor="end" fill="#555">${
      Number(value.toPrecision(3))
    }</text>`
  );
  const drawn = runs.map(({ lines }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const path = (values: readonly number[]) =>
      lines.map(({ step }, at) => `${x(step)},${y(values[at])}`).join(" ");
    const raw = lines.map((line) => line[key]);
    const curve = (values: readonly number[], style: string) =>
      `<polyline points="${path(values)}" fill="none" stroke="${colour}" ${style}/>`;
    const marks = lines.filter((line) => dots !== undefined && line[dots] !== undefined)
      .map((line) => `<circle cx="${x(line.step)}" cy="${y(line[dots!])}" r="3" fill="${colour}"/>`);
    return curve(raw, 'stroke-width="0.8" opacity="0.35"') + curve(meanOfTen(raw), 'stroke-width="2"') +
      marks.join("");
  });
  const steps = [1, Math.round(last / 2), last].map((step) =>
    `<text x="${x(step)}" y="${HEIGHT + 16}" text-anchor="middle" fill="#555">${step}</text>`
  );
  return `<text y="-14" fill="#111" font-weight="bold">${title}</text>${grid.join("")}${drawn.join("")}${
    steps.join("")
  }` +
    `<text x="${WIDTH / 2}" y="${HEIGHT + 30}" text-anchor="middle" fill="#555">updates</text>`;
}

/** The next of 1, 2, 5, 10, ... times a power of ten. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}

function meanOfTen(values: readonly number[]): number[] {
  return values.map((_, i) => {
    const window = values.slice(Math.max(0, i - 9), i + 1);
    return window.reduce((sum, value) => sum + value, 0) / window.length;
  });
}

/** The last part of a run's path, safe within XML. */
function label(name: string): string {
  return name.replace(/\/+$/, "").replace(/^.*\//, "").replace(/[<>&"]/g, "");
}
