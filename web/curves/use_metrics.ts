import { useEffect, useRef, useState } from "preact/hooks";
import type { Answer } from "../app/use_answer.ts";
import type { Columns, Metrics, Place, Source } from "../data/view_data.ts";

/** At most so many points a curve: more than there are pixels. */
export const POINTS = 2000;

interface Kept {
  updated: number;
  steps: number;
  metrics: Metrics;
}

/** Metrics of runs by their ids, kept up to date as the overview tells of changes: only what is new is asked for, unless it is thinned out. */
export function useMetrics(
  source: Source,
  places: readonly Place[],
  keys: readonly string[],
): Answer<ReadonlyMap<string, Metrics>> {
  const key = [...places.map(({ id }) => id), "", ...keys].join("\n");
  const version = places.map(({ updated }) => updated).join();
  const kept = useRef({ key, runs: new Map<string, Kept>() });
  const work = useRef({ busy: false, again: false, look: () => Promise.resolve() });
  const [answer, setAnswer] = useState<Answer<ReadonlyMap<string, Metrics>>>({
    value: undefined,
    error: null,
  });
  work.current.look = async () => {
    if (work.current.busy) return void (work.current.again = true);
    [work.current.busy, work.current.again] = [true, false];
    if (kept.current.key !== key) kept.current = { key, runs: new Map() };
    const { runs } = kept.current;
    const errors = await refreshAll(source, places, keys, runs);
    const value = new Map([...runs].map(([id, { metrics }]) => [id, metrics]));
    setAnswer({ value, error: errors.length > 0 ? errors.join("; ") : null });
    work.current.busy = false;
    if (work.current.again) work.current.look();
  };
  useEffect(() => void work.current.look(), [source, key, version]);
  // Other metrics of the same runs: the old ones stay until they are there.
  return answer;
}

/** Brings all up to date, and tells in words what could not be had. */
async function refreshAll(
  source: Source,
  places: readonly Place[],
  keys: readonly string[],
  runs: Map<string, Kept>,
): Promise<string[]> {
  const told = await Promise.all(places.map(async (place) => {
    try {
      const metrics = await refreshed(source, place, keys, runs.get(place.id));
      if (metrics) runs.set(place.id, { updated: place.updated, steps: place.steps, metrics });
    } catch (error) {
      return [`${place.name}: ${error instanceof Error ? error.message : error}`];
    }
    return [];
  }));
  return told.flat();
}

/** What is to be kept of a run now; nothing where that has not changed. */
async function refreshed(
  source: Source,
  place: Place,
  keys: readonly string[],
  kept?: Kept,
): Promise<Metrics | undefined> {
  const whole = () => source.metrics(place.id, { keys, points: POINTS });
  if (!kept) return await whole();
  const { metrics: before, updated, steps } = kept;
  if (updated === place.updated) return undefined;
  if (before.sampled) {
    return place.steps - steps >= before.sampled.each || place.steps < steps ? await whole() : undefined;
  }
  if (before.lines >= POINTS) return await whole();
  const more = await source.metrics(place.id, { keys, from: before.to, points: POINTS });
  return more.lines < before.to || more.sampled ? await whole() : joined(before, more);
}

/** Both, one after the other; columns that one of them has not are null there. */
export function joined(before: Metrics, more: Metrics): Metrics {
  const [first, second] = [before.to - before.from, more.to - more.from];
  const names = new Set([...Object.keys(before.columns), ...Object.keys(more.columns)]);
  const columns: Columns = {};
  for (const name of names) {
    columns[name] = [
      ...before.columns[name] ?? Array(first).fill(null),
      ...more.columns[name] ?? Array(second).fill(null),
    ];
  }
  return { ...more, from: before.from, columns, skipped: more.skipped };
}
