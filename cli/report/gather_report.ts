import { facetCounter } from "../../web/data/facet_counter.ts";
import { lineOf } from "../../web/data/read_record.ts";
import type { ReportData, ReportPlace } from "../../web/data/report_data.ts";
import type { Facets, RolloutLine } from "../../web/data/view_data.ts";
import type { FolderSource } from "../view/folder_source.ts";
import type { OpenPlace } from "../view/open_place.ts";
import { recordOfRow } from "../view/rollouts_of.ts";
import { chooseRollouts } from "./choose_rollouts.ts";

/** Points of a curve, where a report is not to hold all. */
const POINTS = 2000;

/**
 * All that a report holds, about so large as JSON.
 *
 * @param bytes that it may have: rollouts are left out, whole groups, until it has no more; Infinity leaves nothing out
 */
export async function gatherReport(source: FolderSource, bytes: number): Promise<ReportData> {
  await source.places.readAll();
  const overview = await source.overview();
  const isFull = bytes === Infinity;
  const places: Record<string, ReportPlace> = {};
  for (const { id, kind } of overview.places) {
    const metrics = kind === "run"
      ? await source.metrics(id, isFull ? { points: Number.MAX_SAFE_INTEGER } : { points: POINTS })
      : null;
    const [tables, profile] = [await source.tables(id), await source.profile(id)];
    places[id] = { metrics, rollouts: [], facets: facetsOf([]), tables, profile };
  }
  const left = Math.max(0, bytes - sizeOf(places) - sizeOf(overview));
  const kept = fill(source.places.all(), places, left);
  const told = overview.places.reduce((sum, { rollouts }) => sum + rollouts, 0);
  const isThinned = Object.values(places).some(({ metrics }) => metrics?.sampled);
  const sampled = [
    ...(kept < told ? [`${kept} of ${told} rollouts are in this report`] : []),
    ...(isThinned ? [`curves have at most ${POINTS} points`] : []),
  ].join("; ");
  return { version: 1, sampled, overview, places };
}

/** Puts rollouts into the places of a report, an even share of the bytes to each; what one leaves goes to those after it. Returns how many. */
function fill(open: readonly OpenPlace[], places: Record<string, ReportPlace>, bytes: number): number {
  const withRollouts = open.filter(({ rollouts }) => rollouts.some(({ index }) => index.lines > 0))
    .sort((a, b) => bytesOf(a) - bytesOf(b));
  let [left, count] = [bytes, 0];
  for (const [i, place] of withRollouts.entries()) {
    const rows = chooseRollouts(place, left / (withRollouts.length - i));
    const rollouts = rows.flatMap((row) => {
      const record = recordOfRow(row);
      return record ? [{ place: row.place, record }] : [];
    });
    left -= rows.reduce((sum, { length }) => sum + length, 0);
    count += rollouts.length;
    const lines = rollouts.map(({ record, place: number }) => lineOf(record, number, place.way()));
    places[place.found.id] = { ...places[place.found.id], rollouts, facets: facetsOf(lines) };
  }
  return count;
}

const bytesOf = ({ rollouts }: OpenPlace): number => rollouts.reduce((sum, { index }) => sum + index.size, 0);

const sizeOf = (data: unknown): number => JSON.stringify(data).length;

/** Questions that are named. */
const OFTEN = 200;

/** What these rollouts can be filtered by. */
function facetsOf(lines: readonly RolloutLine[]): Facets {
  const counter = facetCounter();
  lines.forEach(counter.add);
  const questions = Map.groupBy(lines, ({ question }) => question);
  const often = [...questions].map(([question, found]) => ({
    question,
    head: found[0].head,
    rollouts: found.length,
  })).sort((a, b) => b.rollouts - a.rollouts).slice(0, OFTEN);
  return { ...counter.result(), questions: questions.size, often };
}
