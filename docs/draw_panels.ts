/** Panels of curves side by side, as one SVG, a colour a curve. */

/** A point of a curve, with the standard deviation that is drawn around it. */
export interface DrawnPoint {
  x: number;
  y: number;
  sd?: number | null;
}

/** One panel. */
export interface DrawnPanel {
  title: string;
  /** What stands under it. */
  below: string;
  /** The x axis is one of logarithms, with a tick at each point. */
  logarithmic?: boolean;
  /** A dashed line across. */
  level?: number;
  curves: { name: string; points: DrawnPoint[] }[];
}

const COLOURS = ["#d97706", "#2563eb", "#059669", "#9333ea", "#dc2626", "#0891b2", "#65a30d"];
const [WIDTH, HEIGHT, LEFT, TOP, GAP] = [220, 140, 46, 34, 62];

/** The picture of some panels, whose curves have the same names. */
export function drawPanels(panels: readonly DrawnPanel[]): string {
  const names = [...new Set(panels.flatMap(({ curves }) => curves.map(({ name }) => name)))];
  const drawn = panels.map((panel, i) =>
    `<g transform="translate(${LEFT + i * (WIDTH + GAP)},${TOP})">${drawPanel(panel, names)}</g>`
  );
  const legend = names.map((name, i) =>
    `<text x="${LEFT + i * 135}" y="${TOP + HEIGHT + 54}" fill="${colourOf(i)}">${escaped(name)}</text>`
  );
  const width = Math.max(panels.length * (WIDTH + GAP), LEFT + names.length * 135);
  const height = TOP + HEIGHT + 66;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">` +
    `<rect width="${width}" height="${height}" fill="white"/>${drawn.join("")}${legend.join("")}</svg>`;
}

function drawPanel({ title, below, logarithmic, level, curves }: DrawnPanel, names: string[]): string {
  const all = curves.flatMap(({ points }) => points);
  const ys = all.flatMap(({ y, sd }) => [y - (sd ?? 0), y + (sd ?? 0)]).concat(level ?? []);
  const along = (x: number) => logarithmic ? Math.log(x) : x;
  const x = scale(all.map((point) => along(point.x)), 0, WIDTH);
  const y = scale(ys, HEIGHT, 0);
  const xs = [...new Set(all.map((point) => point.x))].sort((a, b) => a - b);
  const ticks = (logarithmic ? xs : [xs[0], xs.at(-1)!]).map((at) =>
    `<text x="${x(along(at))}" y="${HEIGHT + 15}" text-anchor="middle" fill="#555">${
      logarithmic ? at.toExponential() : at.toFixed(2)
    }</text>`
  );
  const heights = [Math.min(...ys), Math.max(...ys)].map((at) =>
    `<text x="-6" y="${Number(y(at)) + 4}" text-anchor="end" fill="#555">${at.toFixed(2)}</text>`
  );
  const dashed = level === undefined
    ? ""
    : `<line x2="${WIDTH}" y1="${y(level)}" y2="${y(level)}" stroke="#999" stroke-dasharray="4 3"/>`;
  const drawn = curves.map(({ name, points }) => {
    const colour = colourOf(names.indexOf(name));
    const place = (point: DrawnPoint) => x(along(point.x));
    const path = points.map((point) => `${place(point)},${y(point.y)}`).join(" ");
    const marks = points.map((point) => {
      const bar = `x1="${place(point)}" x2="${place(point)}" y1="${y(point.y - (point.sd ?? 0))}" y2="${
        y(point.y + (point.sd ?? 0))
      }"`;
      return `<line ${bar} stroke="${colour}"/><circle cx="${place(point)}" cy="${
        y(point.y)
      }" r="3" fill="${colour}"/>`;
    });
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${marks.join("")}`;
  });
  return `<text y="-14" fill="#111" font-weight="bold">${escaped(title)}</text>` +
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="none" stroke="#ddd"/>${dashed}${heights.join("")}${
      ticks.join("")
    }` +
    `<text x="${WIDTH / 2}" y="${HEIGHT + 31}" text-anchor="middle" fill="#555">${escaped(below)}</text>${
      drawn.join("")
    }`;
}

/** Places of values between two ends. */
function scale(values: readonly number[], from: number, to: number): (value: number) => string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return (value) => (from + ((value - low) / (high - low || 1)) * (to - from)).toFixed(1);
}

const colourOf = (i: number): string => COLOURS[i % COLOURS.length];

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
