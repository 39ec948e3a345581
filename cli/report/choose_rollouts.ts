import { matchingRows, type Row } from "../view/matching_rows.ts";
import type { OpenPlace } from "../view/open_place.ts";

/** Rollouts that go together: a group of an update, an evaluation's question in all its modes. */
interface Unit {
  rows: Row[];
  bytes: number;
}

/**
 * Rollouts of a place that have at most so many bytes: whole groups of a run, evenly over its updates, the first and the last among them;
 * of an evaluation whole questions.
 */
export function chooseRollouts(place: OpenPlace, bytes: number): Row[] {
  const units = unitsOf(place);
  const all = units.reduce((sum, unit) => sum + unit.bytes, 0);
  let count = all <= bytes ? units.length : Math.floor(units.length * bytes / all);
  let chosen = spread(units, count);
  while (count > 0 && sizeOf(chosen) > bytes && all > bytes) {
    count = Math.min(count - 1, Math.floor(0.95 * count));
    chosen = spread(units, count);
  }
  return chosen.flatMap(({ rows }) => rows).sort((a, b) => a.place - b.place);
}

const sizeOf = (units: readonly Unit[]): number => units.reduce((sum, { bytes }) => sum + bytes, 0);

/** So many of a list, evenly, with its ends. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (count >= items.length) return [...items];
  const last = items.length - 1;
  return Array.from({ length: count }, (_, i) => items[count === 1 ? 0 : Math.round(i * last / (count - 1))]);
}

function unitsOf(place: OpenPlace): Unit[] {
  const units = new Map<string, Unit>();
  const isRun = place.found.kind === "run";
  matchingRows(place, {}, {
    visit(row) {
      const { step, group } = row.chosen;
      const key = isRun ? group || `${step}` : group.slice(group.lastIndexOf("."));
      let unit = units.get(key);
      if (!unit) units.set(key, unit = { rows: [], bytes: 0 });
      unit.rows.push(row);
      unit.bytes += row.length;
    },
  });
  return [...units.values()];
}
