import { type Choosable, isAskedFor, nearestStep } from "../../web/data/select_rollouts.ts";
import type { RolloutQuery } from "../../web/data/view_data.ts";
import { choosable, type RolloutExtra, rolloutRows } from "./index/rollout_rows.ts";
import type { Block } from "./index/block_store.ts";
import { hashOfText } from "./index/scan_record.ts";
import { MOST_ROWS, type OpenPlace, type RolloutFile } from "./open_place.ts";

/** A rollout that was chosen: where its line lies. */
export interface Row {
  file: RolloutFile;
  /** Its number within the place. */
  place: number;
  offset: number;
  length: number;
  /** What it was chosen by. */
  chosen: Choosable;
}

/** What looks at rows, in the order that the query asks for. */
interface Visitor {
  /** Looks at a row; `true` ends it all. */
  visit(row: Row): boolean | void;
  /** Passes over this many rows unseen where nothing but their number matters; `false` to see them. */
  pass?(rows: number): boolean;
}

/** Goes over the rollouts of a place that are asked for, by the index alone: texts are for the caller to look at. */
export function matchingRows(place: OpenPlace, query: RolloutQuery, visitor: Visitor): void {
  const from = query.after === undefined ? undefined : startOf(place.rollouts, query.after);
  const isLast = query.order === "last";
  const isPlain = !FILTERS.some((key) => query[key] !== undefined);
  const question = query.question === undefined ? undefined : hashOfText(query.question);
  const ordered = <T>(items: readonly T[]) => isLast ? items.toReversed() : items;
  for (const [at, file] of ordered([...place.rollouts.entries()])) {
    if (from && (isLast ? at > from.file : at < from.file)) continue;
    const edge = from?.file === at ? from.row : undefined;
    for (const block of ordered(file.index.blocks())) {
      if (edge !== undefined && (isLast ? block.first >= edge : block.first + block.lines <= edge + 1)) {
        continue;
      }
      const isWhole = edge === undefined || (isLast ? block.first + block.lines <= edge : block.first > edge);
      if (isPlain && isWhole && visitor.pass?.(block.lines)) continue;
      if (!mayHave(block, query)) continue;
      if (visitBlock(place, file, block, query, question, edge, visitor)) return;
    }
  }
}

/** Parts of a query that choose among rows. */
const FILTERS = [
  ...["step", "question", "group", "sample", "mode", "end", "rule"],
  ...["correct", "equal", "refilled", "rewardFrom", "rewardTo"],
] as (keyof RolloutQuery)[];

function visitBlock(
  place: OpenPlace,
  file: RolloutFile,
  block: Block<RolloutExtra> & { first: number },
  query: RolloutQuery,
  question: number | undefined,
  edge: number | undefined,
  { visit }: Visitor,
): boolean {
  const rows = rolloutRows(block.body(), block.lines);
  if (!rows) return false;
  const isLast = query.order === "last";
  const way = place.way();
  for (let n = 0; n < block.lines; n++) {
    const i = isLast ? block.lines - 1 - n : n;
    const row = block.first + i;
    if (edge !== undefined && (isLast ? row >= edge : row <= edge)) continue;
    if (question !== undefined && rows.question[i] !== question) continue;
    if (query.step !== undefined && rows.step[i] !== query.step) continue;
    const chosen = choosable(rows, i, file.names, way);
    if (!isAskedFor(chosen, query)) continue;
    const found = {
      chosen,
      file,
      place: file.code * MOST_ROWS + row,
      offset: rows.offset[i],
      length: rows.length[i],
    };
    if (visit(found)) return true;
  }
  return false;
}

const mayHave = ({ extra: { firstStep, lastStep } }: Block<RolloutExtra>, { step }: RolloutQuery): boolean =>
  step === undefined || firstStep !== null && lastStep !== null && step >= firstStep && step <= lastStep;

/** Where a rollout lies: after the last file where it is not there any more. */
function startOf(files: readonly RolloutFile[], place: number): { file: number; row: number } {
  const at = files.findIndex(({ code }) => code === Math.floor(place / MOST_ROWS));
  return { file: at < 0 ? files.length : at, row: place % MOST_ROWS };
}

/** The query with the step among those that are kept of its question, or at all, which is nearest to the one that it names. */
export function atNearest(place: OpenPlace, query: RolloutQuery): RolloutQuery {
  const { nearest, step, question } = query;
  if (!nearest || step === undefined) return query;
  const hash = question === undefined ? undefined : hashOfText(question);
  const steps = new Set<number>();
  for (const { index } of place.rollouts) {
    for (const { lines, body } of index.blocks()) {
      const rows = rolloutRows(body(), lines);
      rows?.step.forEach((one, i) => {
        if (hash === undefined || rows.question[i] === hash) steps.add(one);
      });
    }
  }
  return { ...query, step: nearestStep([...steps], step) ?? step };
}

/** The row of a rollout by its number; undefined where there is none. */
export function rowAt(place: OpenPlace, number: number): Row | undefined {
  const file = place.rollouts.find(({ code }) => code === Math.floor(number / MOST_ROWS));
  const row = number % MOST_ROWS;
  const block = file?.index.blocks().find(({ first, lines }) => row >= first && row < first + lines);
  const rows = block && rolloutRows(block.body(), block.lines);
  if (!file || !block || !rows) return undefined;
  const i = row - block.first;
  const chosen = choosable(rows, i, file.names, place.way());
  return { file, place: number, offset: rows.offset[i], length: rows.length[i], chosen };
}
