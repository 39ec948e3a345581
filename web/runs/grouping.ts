import type { Overview, Place } from "../data/view_data.ts";
import { settingText } from "../parts/format.ts";

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

/** Settings that differ wherever two runs do. */
const OF_ONE_RUN = new Set(["out", "seed"]);

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

/** The names of settings whose values are not the same in all of these runs; seeds and folders aside. */
export function differingSettings(places: readonly Place[]): string[] {
  const names = new Set(places.flatMap(({ settings }) => Object.keys(settings)));
  return [...names].filter((name) =>
    !OF_ONE_RUN.has(name) && new Set(places.map(({ settings }) => settingText(settings[name]))).size > 1
  );
}

/** What a run is called among others: its sweep's line, or what it does not share with them. */
export function lineOf(place: Place, differing: readonly string[]): string {
  if (place.line !== null) return place.line;
  if (place.kind !== "run") return place.name;
  const values = differing.filter((name) => name !== "model" || differing.length === 1)
    .map((name) => [name, settingText(place.settings[name])] as const).filter(([, value]) => value !== "");
  const words = values.map(([name, value]) =>
    name === "thinking" || name === "task" ? value : `${name} ${value}`
  );
  return words.join(", ") || place.name;
}

const bySeed = (a: Place, b: Place): number => Number(a.settings.seed ?? 0) - Number(b.settings.seed ?? 0);
