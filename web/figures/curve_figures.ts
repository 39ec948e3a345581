import type { Columns } from "../data/view_data.ts";
import { type Band, band, type Sampled } from "./band.ts";
import type { Curve, Figure } from "./figure.ts";
import { type Panel, titleOf } from "./metric_panels.ts";
import { smooth } from "./smooth.ts";

/** A run as the curves need it. */
export interface CurveRun {
  name: string;
  /** Runs of one line differ in their seed alone. */
  line: string;
  columns: Columns;
  /** Where points are means: the least and the most within each. */
  ends?: { low: Columns; high: Columns };
  /** Updates that each point is the mean of; 1 where all are there. */
  each: number;
}

/** What curves are drawn over. */
export type Along = "step" | "total.tokens" | "total.seconds";

/** How curves are drawn. */
export interface CurveOptions {
  along: Along;
  /** Mean of so many updates. */
  window: number;
  /** A band over the seeds of a line; null for a curve a run. */
  band: Band | null;
  isLogX?: boolean;
  isLogY?: boolean;
}

/** What {@link CurveOptions.along} is called. */
export const ALONG: Readonly<Record<Along, string>> = {
  step: "updates",
  "total.tokens": "tokens generated",
  "total.seconds": "seconds",
};

/** The columns that panels need. */
export function keysFor(panels: readonly Panel[]): string[] {
  const own = panels.flatMap(({ keys, points }) => points ? [...keys, points] : keys);
  return [...new Set(["line", "step", "total.tokens", "total.seconds", ...own])];
}

/** The picture of each panel, of what is drawn that has anything of it. */
export function curveFigures(
  drawn: readonly Drawn[],
  panels: readonly Panel[],
  options: CurveOptions,
): Figure[] {
  return panels.map((panel) => ({
    name: panel.name.replaceAll(/[^a-z0-9]+/gi, "-").toLowerCase(),
    title: panel.title,
    x: { label: ALONG[options.along], isLog: options.isLogX },
    y: {
      label: panel.unit,
      isLog: options.isLogY,
      from: options.isLogY ? undefined : panel.from,
      to: panel.to,
    },
    curves: drawn.flatMap((one) => curvesOf(one, panel, options)),
  }));
}

/** Runs that are drawn as one curve, with what it looks like. */
export interface Drawn {
  name: string;
  runs: CurveRun[];
  colour: number;
  dash: number;
}

/** What is drawn of runs: lines, or runs one by one. Several seeds of several lines share their line's colour. */
export function colours(runs: readonly CurveRun[], byLine: boolean): Drawn[] {
  const lines = [...Map.groupBy(runs, ({ line }) => line)];
  if (byLine) return lines.map(([name, runs], colour) => ({ name, runs, colour, dash: 0 }));
  if (lines.length === 1) {
    return runs.map((run, colour) => ({ name: run.name, runs: [run], colour, dash: 0 }));
  }
  return lines.flatMap(([_, own], colour) =>
    own.map((run, dash) => ({ name: run.name, runs: [run], colour, dash }))
  );
}

function curvesOf(drawn: Drawn, { keys, points, from, to }: Panel, options: CurveOptions): Curve[] {
  const lines = keys.flatMap((key, nth) => lineOf(drawn, key, nth, keys.length > 1, options))
    .map((curve) => ({ ...curve, ...bounded(curve, from, to) }));
  return points === undefined ? lines : [...lines, ...pointsOf(drawn, points, options)];
}

/** A band does not go where no value can be. */
function bounded({ low, high }: Curve, from = -Infinity, to = Infinity): Pick<Curve, "low" | "high"> {
  return {
    low: low?.map((value) => value === null ? null : Math.max(from, value)),
    high: high?.map((value) => value === null ? null : Math.min(to, value)),
  };
}

function lineOf(
  drawn: Drawn,
  key: string,
  nth: number,
  isOneOfMany: boolean,
  options: CurveOptions,
): Curve[] {
  const there = drawn.runs.map((run) => ({ run, values: sampled(run, key, options.along) }))
    .filter(({ values }) => values.x.length > 0);
  if (there.length === 0) return [];
  const runs = there.map(({ values }) => values);
  const name = isOneOfMany ? `${drawn.name}, ${titleOf(key)}` : drawn.name;
  const look = { name, of: drawn.name, colour: drawn.colour, dash: drawn.dash + nth, look: "line" as const };
  const windows = there.map(({ run: { each } }) => Math.max(1, Math.round(options.window / each)));
  const smoothed = runs.map(({ x, y }, i) => ({ x, y: smooth(y, windows[i]) }));
  if (options.band === null) {
    const { x, y, low, high } = runs[0];
    if (windows[0] <= 1) return [{ ...look, x, y, low, high }];
    return [{ ...look, ...smoothed[0], low, high, raw: y }];
  }
  const mean = band(smoothed, options.band);
  const raw = options.window > 1 ? band(runs, options.band).y : undefined;
  return [{ ...look, ...mean, raw, ...(runs.length < 2 ? { low: undefined, high: undefined } : {}) }];
}

/** Measured points: of each run, or their mean over seeds with bars. */
function pointsOf(drawn: Drawn, key: string, options: CurveOptions): Curve[] {
  const runs = drawn.runs.map((run) => sampled(run, key, options.along)).filter(({ x }) => x.length > 0);
  if (runs.length === 0) return [];
  const look = {
    name: `${drawn.name}, ${titleOf(key)}`,
    colour: drawn.colour,
    dash: 0,
    look: "points" as const,
  };
  const apart = options.band === null || runs.length === 1 || options.along !== "step";
  return apart ? runs.map(({ x, y }) => ({ ...look, x, y })) : [{ ...look, ...band(runs, options.band!) }];
}

/** A run's values, and where they are means of several updates the ends of these. */
interface Values extends Sampled {
  low?: number[];
  high?: number[];
}

/** A column over another, without the places where it is not there; where x does not rise (a resumed clock), the later value counts. */
function sampled({ columns, ends }: CurveRun, key: string, along: Along): Values {
  const [xs, ys] = [columns[along] ?? [], columns[key] ?? []];
  const kept: number[] = [];
  ys.forEach((value, i) => {
    const place = xs[i];
    if (value === null || place === null || place === undefined || !Number.isFinite(value)) return;
    while (kept.length > 0 && xs[kept.at(-1)!]! >= place) kept.pop();
    kept.push(i);
  });
  const pick = (column: (number | null)[] | undefined) => column && kept.map((i) => column[i] ?? ys[i]!);
  return {
    x: kept.map((i) => xs[i]!),
    y: kept.map((i) => ys[i]!),
    low: pick(ends?.low[key]),
    high: pick(ends?.high[key]),
  };
}
