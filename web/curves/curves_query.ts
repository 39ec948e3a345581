import type { Route } from "../app/route.ts";
import type { Band } from "../figures/band.ts";
import type { Along } from "../figures/curve_figures.ts";
import type { Zoom } from "./chart.tsx";

/** How the curves are asked for: all of it stands in the address. */
export interface CurvesQuery {
  along: Along;
  window: number;
  band: Band | null;
  isLogX: boolean;
  isLogY: boolean;
  zoom: Zoom | null;
  /** Names of panels instead of the method's own. */
  panels: string[] | null;
  /** Names of runs or lines that are not shown. */
  hidden: string[];
}

/** Means of so many updates that can be chosen. */
export const WINDOWS = [1, 2, 5, 10, 20, 50, 100, 200, 500] as const;

const ALONGS: Record<string, Along> = { tokens: "total.tokens", seconds: "total.seconds" };
const BANDS: readonly string[] = ["sd", "error", "range"];

/** Reads it from an address; what makes no sense counts as left out. A band is the default where runs share a line. */
export function curvesQuery({ query }: Route, hasSeeds: boolean): CurvesQuery {
  const window = Number(query.mean);
  const [from, to] = [Number(query.from), Number(query.to)];
  const { band } = query;
  return {
    along: ALONGS[query.x] ?? "step",
    window: (WINDOWS as readonly number[]).includes(window) ? window : 10,
    band: BANDS.includes(band) ? band as Band : band === "none" || !hasSeeds ? null : "sd",
    isLogX: query.log?.includes("x") ?? false,
    isLogY: query.log?.includes("y") ?? false,
    zoom: query.from && query.to && from < to ? [from, to] : null,
    panels: query.panels ? query.panels.split(",") : null,
    hidden: query.hide ? query.hide.split("|") : [],
  };
}
