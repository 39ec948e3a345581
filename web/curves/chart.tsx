import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { type Theme, useTheme } from "../app/theme.ts";
import type { Axis, Figure } from "../figures/figure.ts";
import { INKS } from "../figures/palette.ts";
import { ticksOf, tickText } from "../figures/ticks.ts";
import { type ChartData, chartData } from "./chart_data.ts";
import { Hover, type Hovered, hoverOf } from "./hover.tsx";

/** Ends of what is seen of the x axis. */
export type Zoom = readonly [number, number];

interface Props {
  figure: Figure;
  height: number;
  /** All of it if null. */
  zoom: Zoom | null;
  onZoom: (zoom: Zoom | null) => void;
  /** Charts of one name move their cursors together. */
  together: string;
}

/** A figure to look into: drag zooms, a double click shows all, the arrow keys go from value to value. */
export function Chart({ figure, height, zoom, onZoom, together }: Props) {
  const theme = useTheme();
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<Hovered | null>(null);
  const drawn = chartData(figure, theme);
  const now = useRef({ figure, zoom, onZoom, drawn });
  now.current = { figure, zoom, onZoom, drawn };

  useEffect(() => {
    const made = plot.current = new uPlot(
      optionsOf(frame.current!, { now, theme, height, together, setHover }),
      drawn.data,
      frame.current!,
    );
    const sizes = new ResizeObserver(([{ contentRect }]) =>
      made.setSize({ width: contentRect.width, height })
    );
    sizes.observe(frame.current!);
    return () => {
      sizes.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [drawn.shape, height, together]);
  useEffect(() => plot.current?.setData(drawn.data), [figure, zoom?.[0], zoom?.[1]]);

  return (
    <div
      class="chart"
      role="group"
      aria-roledescription="chart"
      aria-label={summary(figure)}
      tabIndex={0}
      onKeyDown={(event) => move(event, plot.current, () => now.current.onZoom(null), setHover)}
      onBlur={() => setHover(null)}
    >
      <div ref={frame} class="chart-frame" style={{ height: `${height}px` }} />
      <Nothing figure={figure} />
      {hover && <Hover hover={hover} figure={figure} theme={theme} />}
    </div>
  );
}

/** In place of curves, where there are none to see. */
function Nothing({ figure: { curves, y } }: { figure: Figure }) {
  if (curves.length === 0) return <p class="chart-empty soft">No values yet</p>;
  const isSeen = !y.isLog || curves.some((curve) => curve.y.some((value) => value !== null && value > 0));
  return isSeen ? null : <p class="chart-empty soft">Nothing above 0, which this axis could show</p>;
}

/** What a chart says to those who do not see it: its curves with their last values. */
function summary({ title, x, curves }: Figure): string {
  const last = curves.slice(0, 12).map(({ name, y }) => {
    const value = y.findLast((each) => each !== null);
    return `${name} ${
      value === undefined || value === null ? "no value" : tickText(Number(value.toPrecision(3)))
    }`;
  });
  return `${title} over ${x.label}; last: ${last.join(", ") || "no values yet"}`;
}

interface Now {
  current: { figure: Figure; zoom: Zoom | null; onZoom: Props["onZoom"]; drawn: ChartData };
}

function optionsOf(frame: HTMLElement, { now, theme, height, together, setHover }: {
  now: Now;
  theme: Theme;
  height: number;
  together: string;
  setHover: (hover: Hovered | null) => void;
}): uPlot.Options {
  const { figure: { x, y }, drawn } = now.current;
  return {
    width: Math.max(100, frame.clientWidth),
    height,
    series: drawn.series,
    bands: drawn.bands,
    legend: { show: false },
    padding: [10, 18, 0, 0],
    scales: {
      x: {
        time: false,
        distr: x.isLog ? 3 : 1,
        range: (_, low, high) => [...now.current.zoom ?? wide(low, high, x)],
      },
      y: { distr: y.isLog ? 3 : 1, range: (_, low, high) => ends(low, high, now.current.figure.y) },
    },
    axes: [
      { ...axisOf(theme, x, 80), size: 24, label: x.label, labelSize: 16, labelFont: FONT, labelGap: -2 },
      { ...axisOf(theme, y, 42), size: 52 },
    ],
    cursor: {
      sync: { key: together, setSeries: false },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7, width: 2 },
      bind: { dblclick: () => () => (now.current.onZoom(null), null) },
    },
    hooks: {
      setSelect: [(u) => {
        if (u.select.width < 4) return;
        const zoom = [
          u.posToVal(u.select.left, "x"),
          u.posToVal(u.select.left + u.select.width, "x"),
        ] as const;
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        now.current.onZoom(zoom);
      }],
      setCursor: [(u) => {
        const isMine = u.over.matches(":hover") || document.activeElement === frame.parentElement;
        setHover(isMine ? hoverOf(u, now.current.figure) : null);
      }],
    },
  };
}

const FONT = "11px system-ui, sans-serif";

function axisOf(theme: Theme, { isLog, ticks }: Axis, space: number): uPlot.Axis {
  const ink = INKS[theme];
  return {
    ...{ font: FONT, stroke: ink.soft, gap: 4 },
    grid: { stroke: ink.grid, width: 1 },
    ticks: { stroke: ink.grid, width: 1, size: 4 },
    border: { show: true, stroke: ink.line, width: 1 },
    splits: (u, axis, low, high) => {
      if (ticks) return ticks.filter((tick) => tick >= low && tick <= high);
      const length = axis === 0 ? u.over.clientWidth : u.over.clientHeight;
      return ticksOf(low, high, Math.max(2, length / space), isLog);
    },
    filter: (_, splits) => splits,
    values: (_, splits) => splits.map(tickText),
  };
}

/** One value still has an axis around it. */
function wide(low: number | null, high: number | null, { isLog }: Axis): [number, number] {
  if (low === null || high === null) return isLog ? [1, 10] : [0, 1];
  return low < high ? [low, high] : isLog ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
}

/** The data's ends with a little room, and those that the axis has at least. */
function ends(low: number | null, high: number | null, axis: Axis): [number, number] {
  if (low === null || high === null) return [axis.from ?? (axis.isLog ? 0.1 : 0), axis.to ?? 1];
  if (axis.isLog) return low < high ? [low / 1.1, high * 1.1] : [low / 2, high * 2];
  const room = 0.06 * (high - low) || Math.abs(high) * 0.1 || 1;
  const from = axis.from === undefined ? low - room : low < axis.from ? low - room : axis.from;
  const to = axis.to === undefined ? high + room : high > axis.to ? high + room : axis.to;
  return [from, to];
}

function move(
  event: KeyboardEvent,
  u: uPlot | null,
  showAll: () => void,
  setHover: (hover: null) => void,
): void {
  if (!u || event.ctrlKey || event.metaKey || event.altKey) return;
  const xs = u.data[0] as number[];
  const [from, to] = [u.scales.x.min ?? -Infinity, u.scales.x.max ?? Infinity];
  const seen = xs.map((_, i) => i).filter((i) => xs[i] >= from && xs[i] <= to);
  if (seen.length === 0) return;
  const at = seen.indexOf(u.cursor.idx ?? -1);
  const by = event.shiftKey ? 10 : 1;
  const steps: Record<string, () => number> = {
    ArrowRight: () => at < 0 ? 0 : at + by,
    ArrowLeft: () => at < 0 ? seen.length - 1 : at - by,
    Home: () => 0,
    End: () => seen.length - 1,
  };
  if (event.key === "Escape") setHover(null);
  else if (event.key === "0") showAll();
  else if (event.key in steps) {
    const i = seen[Math.min(seen.length - 1, Math.max(0, steps[event.key]()))];
    u.setCursor({ left: u.valToPos(xs[i], "x"), top: u.over.clientHeight / 2 });
  } else return;
  event.preventDefault();
}
