import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useTheme } from "../app/theme.ts";
import { drawSheet } from "../figures/draw_sheet.ts";
import type { Figure } from "../figures/figure.ts";
import { figureCsv } from "../figures/figure_csv.ts";
import { save, savePicture } from "../parts/save.ts";
import { Chart, type Zoom } from "./chart.tsx";

/** A chart with its title, and what can be done with it. */
export function ChartCard({ figure, zoom, onZoom, onRemove, height = 220, together = "curves", children }: {
  figure: Figure;
  zoom: Zoom | null;
  onZoom: (zoom: Zoom | null) => void;
  onRemove: (() => void) | null;
  height?: number;
  together?: string;
  /** Below the chart. */
  children?: ComponentChildren;
}) {
  const [isLarge, setLarge] = useState(false);
  return (
    <article class={isLarge ? "box chart-card large" : "box chart-card"}>
      <header class="chart-head">
        <h3>
          {figure.title} <span class="soft unit">{figure.y.label}</span>
        </h3>
        <span class="chart-tools">
          <Save figure={figure} zoom={zoom} />
          <button
            type="button"
            class="button bare icon"
            aria-pressed={isLarge}
            aria-label={`Enlarge ${figure.title}`}
            title={isLarge ? "Smaller" : "Larger"}
            onClick={() => setLarge(!isLarge)}
          >
            <span aria-hidden="true">{isLarge ? "⤡" : "⤢"}</span>
          </button>
          {onRemove && (
            <button
              type="button"
              class="button bare icon"
              aria-label={`Remove ${figure.title}`}
              title="Remove"
              onClick={onRemove}
            >
              <span aria-hidden="true">✕</span>
            </button>
          )}
        </span>
      </header>
      <Chart
        figure={figure}
        height={isLarge ? 2 * height : height}
        zoom={zoom}
        onZoom={onZoom}
        together={together}
      />
      {children}
    </article>
  );
}

/** Takes what is shown along: the values as CSV, the picture as SVG or PNG. */
function Save({ figure, zoom }: { figure: Figure; zoom: Zoom | null }) {
  const theme = useTheme();
  const seen = () => within(figure, zoom);
  const svg = () => drawSheet([seen()], { theme, panelWidth: 560, panelHeight: 300 });
  const ways: [string, () => void][] = [
    ["CSV", () => save(`${figure.name}.csv`, "text/csv", figureCsv(seen()))],
    ["SVG", () => save(`${figure.name}.svg`, "image/svg+xml", svg().text)],
    ["PNG", () => savePicture(`${figure.name}.png`, svg())],
  ];
  return (
    <details
      class="menu"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node)) event.currentTarget.open = false;
      }}
    >
      <summary class="button bare icon" aria-label={`Save ${figure.title}`} title="Save">
        <span aria-hidden="true">⤓</span>
      </summary>
      <div class="menu-items">
        {ways.map(([word, act]) => (
          <button key={word} type="button" class="button bare" onClick={act}>{word}</button>
        ))}
      </div>
    </details>
  );
}

/** The part of a figure that is zoomed into. */
export function within(figure: Figure, zoom: Zoom | null): Figure {
  if (!zoom) return figure;
  const curves = figure.curves.map((curve) => {
    const kept = curve.x.map((_, i) => i).filter((i) => curve.x[i] >= zoom[0] && curve.x[i] <= zoom[1]);
    const pick = <T,>(values: readonly T[]) => kept.map((i) => values[i]);
    return {
      ...curve,
      ...{ x: pick(curve.x), y: pick(curve.y) },
      ...{
        low: curve.low && pick(curve.low),
        high: curve.high && pick(curve.high),
        raw: curve.raw && pick(curve.raw),
      },
    };
  });
  return { ...figure, curves };
}
