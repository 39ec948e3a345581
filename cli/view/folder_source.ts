import { join } from "node:path";
import type { Facets, Profile, Source } from "../../web/data/view_data.ts";
import { describePlace } from "./describe_place.ts";
import { facetsOf, sightingOf } from "./facets_of.ts";
import type { Root } from "./find_places.ts";
import { metricsOf } from "./metrics_of.ts";
import type { OpenPlace } from "./open_place.ts";
import { rolloutOf, rolloutsOf } from "./rollouts_of.ts";
import { tablesOf } from "./tables_of.ts";
import { type WatchedPlaces, watchedPlaces } from "./watched_places.ts";

/** A source over folders, which grow. */
export interface FolderSource extends Source, Disposable {
  /** What the answers are made of. */
  readonly places: WatchedPlaces;
}

/**
 * A source over folders: what is asked is answered from what is read by then.
 * @param options `writable`: an index may be written beside each file
 */
export function folderSource(roots: readonly Root[], options: { writable: boolean }): FolderSource {
  const places = watchedPlaces(roots, options.writable);
  const facets = new Map<string, { version: string; facets: Facets }>();
  // What is thrown comes as a rejection.
  const soon = <T>(answer: () => T): Promise<T> => Promise.resolve().then(answer);
  return {
    places,
    live: true,
    sampled: "",
    overview: () =>
      soon(() => {
        places.look();
        return { version: 1, places: places.all().map(describePlace), notes: places.notes() };
      }),
    metrics: (id, query = {}) => soon(() => metricsOf(places.at(id), query)),
    rollouts: (id, query) => soon(() => rolloutsOf(places.at(id), query)),
    rollout: (id, place) => soon(() => rolloutOf(places.at(id), place)),
    facets: (id) =>
      soon(() => {
        const place = places.at(id);
        const version = place.rollouts.map(({ code, index }) => `${code} ${index.version}`).join();
        const known = facets.get(id);
        const current = known?.version === version ? known : { version, facets: facetsOf(place) };
        facets.set(id, current);
        return current.facets;
      }),
    sightings: (question) => sightingsIn(places.all(), question),
    tables: (id) =>
      soon(() => {
        const runs = places.all().filter(({ found }) => found.kind === "run" && found.sweep === id);
        return tablesOf(places.at(id), runs);
      }),
    profile: (id) =>
      soon(() => {
        const { found, record } = places.at(id);
        return (record(join(found.path, "profile.json")) ?? null) as Profile | null;
      }),
    onChange: (listener) => places.onChange(listener),
    [Symbol.dispose]: () => places[Symbol.dispose](),
  };
}

/** One place at a time: each may have a million rows. */
async function sightingsIn(places: readonly OpenPlace[], question: string) {
  const found = [];
  for (const place of places) {
    await new Promise((resolve) => setTimeout(resolve));
    const sighting = sightingOf(place, question);
    if (sighting) found.push(sighting);
  }
  return found;
}
