import { UserError } from "../../gpu/errors.ts";
import { describePlace } from "./describe_place.ts";
import { findPlaces, type FoundPlace, type Root } from "./find_places.ts";
import { type OpenPlace, openPlace } from "./open_place.ts";

/** The runs, sweeps and evaluations of some folders, which come, grow and go. */
export interface WatchedPlaces extends Disposable {
  /** In the order in which they were found. */
  all(): OpenPlace[];
  /**
   * One of them, read on as far as that is quickly done.
   * @throws UserError if it is not there
   */
  at(id: string): OpenPlace;
  /** What is not as it should be, in words. */
  notes(): string[];
  /** Looks for changes, where nobody listens for them. */
  look(): void;
  /** Reads all files to their ends. */
  readAll(): Promise<void>;
  /** As {@link Source.onChange}. */
  onChange(listener: (ids: string[]) => void): () => void;
}

/** Ms of reading between two looks at what is asked, and before an answer. */
const [SLICE, BEFORE_ANSWER] = [12, 150];
/** Ms between two looks at the files, and at the folders; more where a look takes long. */
const [LOOK_EVERY, FIND_EVERY] = [1000, 3000];
/** The share of time that looking may take: one of so many. */
const SHARE = 10;

/** Opens what lies in folders; what is asked of it is answered from what is read by then, and reading goes on in between. */
export function watchedPlaces(roots: readonly Root[], writable: boolean): WatchedPlaces {
  const places = new Map<string, OpenPlace>();
  const listeners = new Set<(ids: string[]) => void>();
  const tell = (ids: string[]) => listeners.forEach((listener) => listener(ids));
  const reading = readsOn();
  const states = new Map<string, string>();
  let [notes, foundAt, lookedAt] = [[] as string[], -Infinity, -Infinity];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const find = (): boolean => {
    foundAt = performance.now();
    const found = findPlaces(roots);
    notes = found.notes;
    const isOther = exchange(places, found.places, (place) => openPlace(place, writable));
    reading.forget((place) => places.get(place.found.id) !== place);
    return isOther;
  };
  /** Returns what has changed; `[]` where places came or went. */
  const look = (time: number): string[] | undefined => {
    const isOther = performance.now() - foundAt >= FIND_EVERY && find();
    const changed = [...places.values()].filter((place) => place.changed());
    reading.begin(changed, time);
    lookedAt = performance.now();
    if (listeners.size === 0) return undefined;
    const ids = otherThanTold(places.values(), states);
    return isOther ? [] : ids.length > 0 ? ids : undefined;
  };
  const lookAgain = () => {
    const began = performance.now();
    const ids = look(SLICE);
    if (ids) tell(ids);
    timer = setTimeout(lookAgain, Math.max(LOOK_EVERY, SHARE * (performance.now() - began)));
  };
  look(BEFORE_ANSWER);
  return {
    all: () => [...places.values()],
    at(id) {
      const place = places.get(id);
      if (!place) throw new UserError(`There is no ${id} in these folders`);
      if (place.changed()) reading.begin([place], BEFORE_ANSWER);
      return place;
    },
    notes: () => [...notes, ...[...places.values()].flatMap((place) => notesOf(place, writable))],
    look() {
      if (performance.now() - lookedAt > LOOK_EVERY) look(BEFORE_ANSWER);
    },
    readAll() {
      find();
      return reading.begin([...places.values()], SLICE);
    },
    onChange(listener) {
      if (listeners.size === 0) otherThanTold(places.values(), states);
      listeners.add(listener);
      timer ??= setTimeout(lookAgain, LOOK_EVERY);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
      };
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      reading.forget(() => true);
      places.forEach((place) => place[Symbol.dispose]());
    },
  };
}

/** Places whose files are read to their ends, in slices. */
function readsOn() {
  const pending = new Set<OpenPlace>();
  let working: Promise<void> | undefined;
  const read = (until: number) => {
    for (const place of pending) {
      if (performance.now() > until) return;
      if (!place.advance(until)) pending.delete(place);
    }
  };
  const work = async () => {
    while (pending.size > 0) {
      read(performance.now() + SLICE);
      await new Promise((resolve) => setTimeout(resolve));
    }
    working = undefined;
  };
  return {
    /** Reads for so many ms now, the rest later. */
    begin(places: readonly OpenPlace[], time: number): Promise<void> {
      places.forEach((place) => pending.add(place));
      read(performance.now() + time);
      return working ??= work();
    },
    forget(isGone: (place: OpenPlace) => boolean) {
      [...pending].filter(isGone).forEach((place) => pending.delete(place));
    },
  };
}

/** Opens what has come, closes what is gone, and puts all in the order in which they were found. Returns whether any came or went. */
function exchange(
  places: Map<string, OpenPlace>,
  found: readonly FoundPlace[],
  open: (place: FoundPlace) => OpenPlace,
): boolean {
  const before = new Map(places);
  places.clear();
  let isOther = false;
  for (const place of found) {
    const known = before.get(place.id);
    const isSame = known !== undefined && known.found.kind === place.kind &&
      known.found.path === place.path &&
      known.found.line === place.line;
    if (isSame) {
      before.delete(place.id);
      known.look();
    }
    isOther ||= !isSame;
    places.set(place.id, isSame ? known : open(place));
  }
  before.forEach((place) => place[Symbol.dispose]());
  return isOther || before.size > 0;
}

/** The places of which something is another than when they were asked last; a run also ends without a write to what is indexed. */
function otherThanTold(places: Iterable<OpenPlace>, told: Map<string, string>): string[] {
  return [...places].flatMap((place) => {
    const { state, has, steps } = describePlace(place);
    const now = JSON.stringify([state, has, steps, place.stamp()]);
    const before = told.get(place.found.id);
    told.set(place.found.id, now);
    return before !== undefined && before !== now ? [place.found.id] : [];
  });
}

/** What is not as it should be with the files of a place. */
function notesOf({ found: { id, root }, metrics, rollouts }: OpenPlace, writable: boolean): string[] {
  return [...metrics ? [metrics] : [], ...rollouts.map(({ index }) => index)].flatMap((index) => {
    const name = `${root.id}${index.path.slice(root.path.length)}`;
    return [
      ...(index.skipped > 0 ? [`${name}: ${index.skipped} damaged or cut lines are left out`] : []),
      ...(index.unreadable ? [`${name} may not be read: ${index.unreadable}`] : []),
      ...(writable && index.inMemory ? [`the index of ${id} is in memory alone: ${index.inMemory}`] : []),
    ];
  });
}
