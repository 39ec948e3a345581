import { join } from "node:path";
import type { Facets, Place, Profile, Source, Tables } from "../../web/data/view_data.ts";
import { describePlace } from "./describe_place.ts";
import { facetsOf, sightingOf } from "./facets_of.ts";
import type { Root } from "./find_places.ts";
import { metricsOf } from "./metrics_of.ts";
import type { OpenPlace } from "./open_place.ts";
import { rolloutOf, rolloutsOf } from "./rollouts_of.ts";
import { tablesOf } from "./tables_of.ts";
import { tablesStamp } from "./tables_stamp.ts";
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
  const facets = kept<Facets>();
  const tables = kept<Tables>(({ notes }) => notes.length === 0);
  // What is thrown comes as a rejection.
  const soon = <T>(answer: () => T): Promise<T> => Promise.resolve().then(answer);
  return {
    places,
    live: true,
    sampled: "",
    overview: () =>
      soon(() => {
        places.look();
        return { version: 1, places: described(places.all()), notes: places.notes() };
      }),
    metrics: (id, query = {}) => soon(() => metricsOf(places.at(id), query)),
    rollouts: (id, query) => soon(() => rolloutsOf(places.at(id), query)),
    rollout: (id, place) => soon(() => rolloutOf(places.at(id), place)),
    facets: (id) =>
      soon(() => {
        const place = places.at(id);
        const version = place.rollouts.map(({ code, index }) => `${code} ${index.version}`).join();
        return facets(id, version, () => facetsOf(place));
      }),
    sightings: (question) => sightingsIn(places.all(), question),
    tables: (id) =>
      soon(() => {
        const place = places.at(id);
        const runs = places.all().filter(({ found }) => found.kind === "run" && found.sweep === id);
        return tables(id, tablesStamp(place, runs), () => tablesOf(place, runs));
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

/**
 * Answers that are made again only where what they are made of has another version.
 * @param isWhole whether an answer may be kept: what could not be read may be readable soon, without another version
 */
function kept<T>(isWhole: (answer: T) => boolean = () => true) {
  const answers = new Map<string, { version: string; answer: T }>();
  return (id: string, version: string, make: () => T): T => {
    const known = answers.get(id);
    if (known?.version === version) return known.answer;
    const answer = make();
    if (isWhole(answer)) answers.set(id, { version, answer });
    return answer;
  };
}

/** What is known of all places; a sweep's newest write is one of its own or of its runs. */
function described(places: readonly OpenPlace[]): Place[] {
  const all = places.map(describePlace);
  const newest = new Map<string, number>();
  for (const { sweep, updated } of all) {
    if (sweep !== null) newest.set(sweep, Math.max(newest.get(sweep) ?? 0, updated));
  }
  return all.map((place) => ({ ...place, updated: Math.max(place.updated, newest.get(place.id) ?? 0) }));
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
