import type { Place } from "../data/view_data.ts";
import { differingSettings, lineOf } from "./line_of.ts";

/** The line of each run by its id, told apart from the others by what differs between them; with its sweep's name where there are several. */
export function lineNames(places: readonly Place[]): Map<string, string> {
  const differing = differingSettings(places);
  const sweeps = new Set(places.map(({ sweep }) => sweep)).size;
  return new Map(places.map((place) => {
    const line = lineOf(place, differing);
    return [place.id, sweeps > 1 && place.sweep ? `${place.sweep.split("/").at(-1)}: ${line}` : line];
  }));
}
