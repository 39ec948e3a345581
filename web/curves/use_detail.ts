import { useEffect, useState } from "preact/hooks";
import type { Metrics, Source } from "../data/view_data.ts";
import type { Along } from "../figures/curve_figures.ts";
import type { Zoom } from "./chart.tsx";
import { POINTS } from "./use_metrics.ts";

type ByRun = ReadonlyMap<string, Metrics>;

const NONE: ByRun = new Map();

/** Of runs that are thinned out, the part that is zoomed into with as many points as the whole had. */
export function useDetail(
  source: Source,
  metrics: ByRun | undefined,
  keys: readonly string[],
  along: Along,
  zoom: Zoom | null,
): ByRun {
  const [detail, setDetail] = useState<{ key: string; found: ByRun }>({ key: "", found: NONE });
  const thin = [...metrics?.values() ?? []].filter(({ sampled }) => sampled !== null);
  const key = zoom && thin.length > 0 ? JSON.stringify([along, zoom, keys, thin.map(({ id }) => id)]) : "";
  useEffect(() => {
    if (key === "") return;
    let isOver = false;
    const look = async () => {
      const found = await Promise.all(thin.map(async (whole) => {
        const part = await source.metrics(whole.id, {
          keys,
          ...linesWithin(whole, along, zoom!),
          points: POINTS,
        });
        return [whole.id, part] as const;
      }));
      if (!isOver) setDetail({ key, found: new Map(found) });
    };
    // What cannot be had in detail is still seen as it was.
    look().catch(() => {});
    return () => {
      isOver = true;
    };
  }, [source, key]);
  return detail.key === key ? detail.found : NONE;
}

/** The lines between two places of the x axis, with a point on either side. */
export function linesWithin(
  { columns, to }: Metrics,
  along: Along,
  [low, high]: Zoom,
): { from: number; to: number } {
  const [xs, lines] = [columns[along] ?? [], columns.line ?? []];
  const before = xs.findLastIndex((x) => x !== null && x < low);
  const after = xs.findIndex((x) => x !== null && x > high);
  return { from: before < 0 ? 0 : lines[before] ?? 0, to: after < 0 ? to : (lines[after] ?? to) + 1 };
}
