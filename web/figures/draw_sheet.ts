/** Figures as one SVG at paper quality: panels side by side, with one legend where they show the same. */
import { drawPanel } from "./draw_panel.ts";
import type { Figure } from "./figure.ts";
import { colourOf, dashOf, INKS } from "./palette.ts";
import { escaped, textWidth } from "./svg_text.ts";

/** How it is drawn; sizes in pixels at 96 to the inch. */
export interface SheetOptions {
  theme?: "light" | "dark";
  /** Panels in a row; as many as there are, four at most. */
  columns?: number;
  /** Of what lies within the axes. */
  panelWidth?: number;
  panelHeight?: number;
}

/** A drawing and its size. */
export interface Sheet {
  text: string;
  width: number;
  height: number;
}

/** Fonts in the order in which they are looked for. */
export const FONTS =
  "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

const [LEFT, RIGHT, TOP, BELOW, GAP, MARGIN] = [50, 10, 34, 42, 22, 10];
const ROW = 18;

/** Draws figures in rows. */
export function drawSheet(figures: readonly Figure[], options: SheetOptions = {}): Sheet {
  const { theme = "light", panelWidth = 260, panelHeight = 160 } = options;
  const columns = Math.max(1, Math.min(options.columns ?? 4, figures.length));
  const rows = Math.ceil(figures.length / columns);
  const [across, down] = [LEFT + panelWidth + RIGHT + GAP, TOP + panelHeight + BELOW];
  const width = 2 * MARGIN + columns * across - GAP;
  const panels = figures.map((figure, i) => {
    const [x, y] = [MARGIN + (i % columns) * across + LEFT, MARGIN + Math.floor(i / columns) * down + TOP];
    return `<g transform="translate(${x} ${y})">${drawPanel(figure, i, panelWidth, panelHeight, theme)}</g>`;
  });
  const legend = drawLegend(figures, width - 2 * MARGIN - LEFT, theme);
  const top = MARGIN + rows * down + 6;
  const height = top + legend.height + MARGIN;
  const { ground } = INKS[theme];
  return {
    ...{ width, height },
    text:
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `font-family="${FONTS}" font-size="11">\n<rect width="${width}" height="${height}" fill="${ground}"/>\n` +
      `${panels.join("\n")}\n<g transform="translate(${MARGIN + LEFT} ${top})">${legend.text}</g>\n</svg>\n`,
  };
}

/** Each name once, in rows. */
function drawLegend(
  figures: readonly Figure[],
  width: number,
  theme: "light" | "dark",
): { text: string; height: number } {
  const entries = new Map<string, { colour: number; dash: number }>();
  for (const { name, of = name, colour, dash, look } of figures.flatMap(({ curves }) => curves)) {
    if (look !== "points" && !entries.has(of)) entries.set(of, { colour, dash });
  }
  if (entries.size < 2 && figures.length < 2) return { text: "", height: 0 };
  let [x, row] = [0, 0];
  const drawn = [...entries].map(([name, { colour, dash }]) => {
    const wide = 34 + textWidth(name, 11);
    if (x > 0 && x + wide > width) [x, row] = [0, row + 1];
    const at = `translate(${x} ${row * ROW})`;
    x += wide + 10;
    const strokes = dashOf(colour, dash).join(" ");
    return `<g transform="${at}"><line x1="0" x2="24" y1="6" y2="6" stroke="${
      colourOf(theme, colour)
    }" stroke-width="2"${strokes ? ` stroke-dasharray="${strokes}"` : ""}/><text x="30" y="10" fill="${
      INKS[theme].text
    }">${escaped(name)}</text></g>`;
  });
  return { text: drawn.join(""), height: (row + 1) * ROW };
}
