import { lineOf, searchedOf, viewOf } from "../../web/data/read_record.ts";
import { limitOf } from "../../web/data/select_rollouts.ts";
import type { RolloutLine, RolloutList, RolloutQuery, RolloutView } from "../../web/data/view_data.ts";
import { MOST_LINE, readAt } from "./index/line_reader.ts";
import { atNearest, matchingRows, type Row, rowAt } from "./matching_rows.ts";
import type { OpenPlace, RolloutFile } from "./open_place.ts";

/** A search in texts answers after so many ms with what it has. */
const SEARCH_TIME = 150;

type Fields = Record<string, unknown>;

/** The rollouts of a place that are asked for. */
export function rolloutsOf(place: OpenPlace, asked: RolloutQuery): RolloutList {
  const query = atNearest(place, asked);
  const skipped = place.rollouts.reduce((sum, { index }) => sum + index.skipped, 0);
  return { ...(query.text ? searched(place, query, query.text) : listed(place, query)), skipped };
}

type List = Omit<RolloutList, "skipped">;

function listed(place: OpenPlace, query: RolloutQuery): List {
  const limit = limitOf(query);
  const shown: Row[] = [];
  let [total, passed, isMore] = [0, 0, false];
  const skip = Math.max(0, query.skip ?? 0);
  matchingRows(place, query, {
    visit(row) {
      total++;
      if (passed < skip) passed++;
      else if (shown.length < limit) shown.push(row);
      else isMore = true;
    },
    pass(rows) {
      const isBefore = passed + rows <= skip;
      if (!isBefore && shown.length < limit) return false;
      if (isBefore) passed += rows;
      else isMore = true;
      total += rows;
      return true;
    },
  });
  // Those up to `after` count, too.
  if (query.after !== undefined) total = countOf(place, { ...query, after: undefined });
  const lines = shown.map((row) => lineAt(place, row));
  return { lines, total, next: isMore ? shown.at(-1)!.place : null, scanned: 0 };
}

function countOf(place: OpenPlace, query: RolloutQuery): number {
  let total = 0;
  matchingRows(place, query, {
    visit: () => void total++,
    pass(rows) {
      total += rows;
      return true;
    },
  });
  return total;
}

function searched(place: OpenPlace, query: RolloutQuery, text: string): List {
  const [limit, until] = [limitOf(query), performance.now() + SEARCH_TIME];
  const [inLine, inTexts] = finders(text);
  const lines: RolloutLine[] = [];
  let [scanned, next] = [0, null as number | null];
  using open = openFiles();
  matchingRows(place, query, {
    visit(row) {
      if (lines.length === limit || performance.now() > until) return true;
      next = row.place;
      scanned++;
      const line = open.textOf(row);
      const record = inLine(line) ? recordIn(line) : undefined;
      if (record && inTexts(searchedOf(record))) lines.push(lineOf(record, row.place, place.way()));
    },
  });
  return { lines, total: null, next, scanned };
}

/** What looks for a text: quickly in a line as it stands in its file, then in what the line says. */
function finders(text: string): [(line: string) => boolean, (texts: readonly string[]) => boolean] {
  const needle = text.toLowerCase();
  const written = new RegExp(
    JSON.stringify(text).slice(1, -1).replace(/[.*+?^${}()|[\]\\\/]/g, "\\$&"),
    "iu",
  );
  return [
    (line) => written.test(line),
    (texts) => texts.some((one) => one.toLowerCase().includes(needle)),
  ];
}

/** A rollout in full. */
export function rolloutOf(place: OpenPlace, number: number): RolloutView {
  const { found: { id } } = place;
  const row = rowAt(place, number);
  if (!row) throw new Error(`There is no rollout ${number} in ${id}`);
  const record = recordIn(textOf(row));
  if (!record) throw new Error(`Rollout ${number} of ${id} is damaged`);
  return viewOf(record, number, id, place.way());
}

/** A record as it stands in its file; undefined where it is damaged. */
export const recordOfRow = (row: Pick<Row, "file" | "offset" | "length">): Fields | undefined =>
  recordIn(textOf(row));

/** A line whose record cannot be read though its outline can is shown as empty. */
function lineAt(place: OpenPlace, row: Row): RolloutLine {
  return lineOf(recordOfRow(row) ?? { question: "(damaged)" }, row.place, place.way());
}

/** Files that are opened once for the many lines that a search reads. */
function openFiles(): { textOf(row: Row): string } & Disposable {
  const files = new Map<RolloutFile, Deno.FsFile | undefined>();
  return {
    textOf({ file, offset, length }) {
      if (!files.has(file)) files.set(file, quietly(() => file.index.open()));
      const opened = files.get(file);
      return opened && length <= MOST_LINE ? DECODER.decode(readAt(opened, offset, length)) : "";
    },
    [Symbol.dispose]: () => files.forEach((file) => file?.close()),
  };
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const DECODER = new TextDecoder();

/** Empty where the file has changed since it was indexed. */
function textOf({ file, offset, length }: Pick<Row, "file" | "offset" | "length">): string {
  if (length > MOST_LINE) return "";
  try {
    return new TextDecoder().decode(file.index.read(offset, length));
  } catch {
    return "";
  }
}

function recordIn(line: string): Fields | undefined {
  try {
    const record = JSON.parse(line);
    return typeof record === "object" && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
}
