import type { Place } from "../data/view_data.ts";
import { settingText } from "../parts/format.ts";

/** A setting in all runs; null where a run does not have it. */
export interface SettingRow {
  name: string;
  values: (string | null)[];
  /** Never of the folder: each run has its own. */
  differs: boolean;
  /** The value that most of them have; undefined where each has its own. */
  usual: string | null | undefined;
}

/** All settings of runs: those that differ, then the others, each in their order. */
export function rowsOf(places: readonly Pick<Place, "settings">[]): SettingRow[] {
  const names = [...new Set(places.flatMap(({ settings }) => Object.keys(settings)))];
  const rows = names.map((name) => {
    const values = places.map(({ settings }) => name in settings ? settingText(settings[name]) : null);
    const counts = [...Map.groupBy(values, (value) => value)].sort(([, a], [, b]) => b.length - a.length);
    return {
      name,
      values,
      differs: counts.length > 1 && name !== "out",
      usual: counts[0][1].length > 1 ? counts[0][0] : undefined,
    };
  });
  return [...rows.filter(({ differs }) => differs), ...rows.filter(({ differs }) => !differs)];
}
