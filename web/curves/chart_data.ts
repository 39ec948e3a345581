import uPlot from "uplot";
import type { Curve, Figure } from "../figures/figure.ts";
import { colourOf, dashOf } from "../figures/palette.ts";

/** What uPlot draws of a figure: columns, series for them, and which of them are the ends of a band. */
export interface ChartData {
  data: uPlot.AlignedData;
  series: uPlot.Series[];
  bands: uPlot.Band[];
  /** The same as long as only values change: another one needs another chart. */
  shape: string;
}

type Theme = "light" | "dark";
type Values = readonly (number | null)[];

/** Lays a figure's curves out as columns over all their x. */
export function chartData({ curves, x, y }: Figure, theme: Theme): ChartData {
  const parts = curves.map((curve) => columnsOf(curve, theme));
  const tables = curves.map((curve, i) => {
    const there = curve.x.map((_, at) => at).filter((at) => !x.isLog || curve.x[at] > 0);
    const pick = (values: Values) => there.map((at) => y.isLog && !(values[at]! > 0) ? null : values[at]);
    return [
      there.map((at) => curve.x[at]),
      ...parts[i].map(({ values }) => pick(values)),
    ] as uPlot.AlignedData;
  });
  const data = tables.length === 0 ? [[]] as unknown as uPlot.AlignedData : uPlot.join(tables);
  const series = [{}, ...parts.flat().map((part) => part.series)];
  const bands: uPlot.Band[] = [];
  let at = 1;
  parts.forEach((columns, i) => {
    if (columns.length > 1 && columns[0].isBand) {
      bands.push({ series: [at + 1, at], fill: `${colourOf(theme, curves[i].colour)}30` });
    }
    at += columns.length;
  });
  const shape = JSON.stringify([
    theme,
    x.isLog,
    y.isLog,
    x.label,
    curves.map(({ name, colour, dash, look, low, raw }) => [
      ...[name, colour, dash, look, low !== undefined, raw !== undefined],
    ]),
  ]);
  return { data, series, bands, shape };
}

interface Column {
  values: Values;
  series: uPlot.Series;
  isBand?: boolean;
}

const NO_POINTS = { points: { show: false } };

/** A curve's columns: the ends of its band, what it was before smoothing, and itself on top. */
function columnsOf({ y, low, high, raw, look, colour, dash }: Curve, theme: Theme): Column[] {
  const stroke = colourOf(theme, colour);
  const strokes = [...dashOf(colour, dash)];
  const columns: Column[] = [];
  if (low && high) {
    const isBand = look === "line";
    const edge = isBand ? { ...NO_POINTS, width: 0, stroke: "transparent" } : { show: false };
    columns.push({ values: low, series: edge, isBand }, { values: high, series: edge, isBand });
  }
  if (raw) {
    columns.push({ values: raw, series: { ...NO_POINTS, stroke: `${stroke}66`, width: 1, dash: strokes } });
  }
  const line = { stroke, width: 2, dash: strokes };
  const marks = { show: true, size: 7, stroke, fill: stroke };
  columns.push({
    values: y,
    series: look === "line"
      ? { ...line, points: { show: y.length === 1, ...(y.length === 1 ? marks : {}) } }
      : look === "points"
      ? { stroke, paths: () => null, points: marks }
      : { ...line, points: marks },
  });
  return columns;
}
