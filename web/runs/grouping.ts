import type { Overview, Place } from "../data/view_data.ts";
import { differingSettings, lineOf } from "../figures/line_of.ts";

/** Places that belong together: those of a sweep, or those that lie by themselves. */
export interface Group {
  /** Id of the sweep; empty of those without. */
  id: string;
  sweep: Place | null;
  /** Settings that its runs do not agree on, but those that only name places. */
  differing: string[];
  /** Runs that differ in their seed alone, one line after another. */
  lines: Line[];
}

/** Runs that differ in their seed alone. */
export interface Line {
  name: string;
  places: Place[];
}

/** Runs and evaluations by their sweep, and within it by what differs but the seed. */
export function groupPlaces({ places }: Overview, isShown: (place: Place) => boolean): Group[] {
  const sweeps = new Map(places.filter(({ kind }) => kind === "sweep").map((place) => [place.id, place]));
  const own = places.filter((place) => place.kind !== "sweep");
  const bySweep = Map.groupBy(own, ({ sweep }) => sweep !== null && sweeps.has(sweep) ? sweep : "");
  return [...bySweep].sort(([a], [b]) => Number(a === "") - Number(b === "")).flatMap(([id, all]) => {
    const differing = differingSettings(all.filter(({ kind }) => kind === "run"));
    const shown = all.filter(isShown);
    if (shown.length === 0) return [];
    const lines = Map.groupBy(shown, (place) => lineOf(place, differing));
    return [{
      id,
      sweep: sweeps.get(id) ?? null,
      differing,
      lines: [...lines].map(([name, places]) => ({ name, places: places.toSorted(bySeed) })),
    }];
  });
}

const bySeed = (a: Place, b: Place): number => Number(a.settings.seed ?? 0) - Number(b.settings.seed ?? 0);
