import type { Place } from "../data/view_data.ts";
import { settingText } from "../parts/format.ts";

/** Settings that differ wherever two runs do. */
const OF_ONE_RUN = new Set(["out", "seed"]);

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
