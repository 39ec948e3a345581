import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Overview, Place, Source } from "../data/view_data.ts";

/** What every view may ask: the source of data, and what lies in the folders. */
export interface Shown {
  source: Source;
  overview: Overview;
}

/** Given by the app to all views, once the overview is there. */
export const ShownContext = createContext<Shown | null>(null);

/** The source and the overview; for components below the app. */
export function useShown(): Shown {
  const shown = useContext(ShownContext);
  if (!shown) throw new Error("Cannot show a view: there is no source above it");
  return shown;
}

/** A place by its id; undefined if there is none by that name. */
export function placeOf({ places }: Overview, id: string | undefined): Place | undefined {
  return places.find((place) => place.id === id);
}

/** The runs that a place stands for: those of a sweep, or itself. */
export function runsOf({ places }: Overview, place: Place): Place[] {
  return place.kind === "sweep"
    ? places.filter(({ kind, sweep }) => kind === "run" && sweep === place.id)
    : [place];
}
