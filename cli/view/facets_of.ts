import { facetCounter } from "../../web/data/facet_counter.ts";
import { rangesOf } from "../../web/data/facet_counter.ts";
import { lineOf } from "../../web/data/read_record.ts";
import type { Facets, Sighting } from "../../web/data/view_data.ts";
import { choosable, NONE, rolloutRows } from "./index/rollout_rows.ts";
import { hashOfText } from "./index/scan_record.ts";
import { MOST_ROWS, type OpenPlace } from "./open_place.ts";
import { recordOfRow } from "./rollouts_of.ts";

/** Questions that are named. */
const OFTEN = 200;

/** What the rollouts of a place can be filtered by. */
export function facetsOf(place: OpenPlace): Facets {
  const counter = facetCounter();
  const way = place.way();
  const lines = place.rollouts.reduce((sum, { index }) => sum + index.lines, 0);
  const questions = new Float64Array(lines);
  let at = 0;
  for (const { index, names } of place.rollouts) {
    for (const { lines, body } of index.blocks()) {
      const rows = rolloutRows(body(), lines);
      if (!rows) continue;
      for (let i = 0; i < lines; i++) counter.add(choosable(rows, i, names, way));
      questions.set(rows.question, at);
      at += lines;
    }
  }
  return { ...counter.result(), ...often(place, questions.subarray(0, at)) };
}

/** Counted by sorting their hashes: a million different ones are no map's business. */
function often(place: OpenPlace, hashes: Float64Array): Pick<Facets, "questions" | "often"> {
  const sorted = hashes.sort();
  const counts: { hash: number; rollouts: number }[] = [];
  let [questions, start] = [0, 0];
  for (let i = 1; i <= sorted.length; i++) {
    // What has no question has NaN, which sorts last and is unlike itself.
    if (i < sorted.length && sorted[i] === sorted[start]) continue;
    questions++;
    const least = counts.at(-1)?.rollouts ?? 0;
    if (counts.length < OFTEN || i - start > least) {
      counts.push({ hash: sorted[start], rollouts: i - start });
      counts.sort((a, b) => b.rollouts - a.rollouts);
      counts.length = Math.min(counts.length, OFTEN);
    }
    start = i;
  }
  return { questions, often: named(place, counts) };
}

function named(place: OpenPlace, counts: readonly { hash: number; rollouts: number }[]): Facets["often"] {
  const wanted = new Map(counts.map(({ hash, rollouts }) => [hash, rollouts]));
  const found: Facets["often"] = [];
  for (const file of place.rollouts) {
    for (const { first, lines, body } of file.index.blocks()) {
      const rows = wanted.size === 0 ? undefined : rolloutRows(body(), lines);
      if (!rows) continue;
      for (let i = 0; i < lines; i++) {
        const rollouts = wanted.get(rows.question[i]);
        if (rollouts === undefined) continue;
        wanted.delete(rows.question[i]);
        const record = recordOfRow({ file, offset: rows.offset[i], length: rows.length[i] });
        if (!record) continue;
        const { question, head } = lineOf(record, file.code * MOST_ROWS + first + i, place.way());
        found.push({ question, head, rollouts });
      }
    }
  }
  return found.sort((a, b) => b.rollouts - a.rollouts);
}

/** The rollouts of one question in a place; undefined where there are none. */
export function sightingOf(place: OpenPlace, question: string): Sighting | undefined {
  const [hash, way] = [hashOfText(question), place.way()];
  const steps = new Set<number>();
  const modes = new Set<string>();
  let rollouts = 0;
  for (const { index, names } of place.rollouts) {
    for (const { lines, body } of index.blocks()) {
      const rows = rolloutRows(body(), lines);
      for (let i = 0; rows && i < lines; i++) {
        if (rows.question[i] !== hash) continue;
        rollouts++;
        if (rows.step[i] !== NONE) steps.add(rows.step[i]);
        modes.add(choosable(rows, i, names, way).mode);
      }
    }
  }
  if (rollouts === 0) return undefined;
  const ascending = [...steps].sort((a, b) => a - b);
  return { id: place.found.id, rollouts, steps: rangesOf(ascending), modes: [...modes] };
}
