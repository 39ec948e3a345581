import { useEffect, useMemo, useState } from "preact/hooks";
import type { RolloutLine, RolloutQuery, Source } from "../data/view_data.ts";

/** Lines asked for at once, and pages kept: what scrolled far away is asked for again. */
const PAGE = 100;
const MOST_PAGES = 60;
const BETWEEN_MS = 1000;

/** The rollouts of a query, of which only those that are seen are asked for. */
export interface RolloutLines {
  /** How many there are; of a search in texts those found so far. Null before the first answer. */
  total: number | null;
  /** A search in texts that goes on by itself; null when all has been read. */
  searching: { scanned: number; stop: () => void } | null;
  skipped: number;
  error: string | null;
  /** Undefined while it is on its way. */
  at: (index: number) => RolloutLine | undefined;
  /** Asks for what is missing between two places. */
  seen: (from: number, to: number) => void;
}

/** Follows a query while the component is shown; what is added to a growing run is added at the end. */
export function useRolloutLines(source: Source, id: string, query: RolloutQuery): RolloutLines {
  const key = JSON.stringify([id, query]);
  const [, draw] = useState(0);
  const lines = useMemo(() => keepLines(source, id, query, () => draw((drawn) => drawn + 1)), [source, key]);
  useEffect(() => {
    const ended = lines.begin();
    const stop = source.onChange((changed) => {
      if (changed.length === 0 || changed.includes(id)) lines.renew();
    });
    return () => (stop(), ended());
  }, [lines]);
  return lines.now();
}

/** Pages of lines by number, got one after another. */
function keepLines(source: Source, id: string, query: RolloutQuery, changed: () => void) {
  const found: RolloutLine[] = [];
  const pages = new Map<number, RolloutLine[]>();
  const wanted = new Set<number>();
  const isSearch = query.text !== undefined;
  let now: RolloutLines = {
    total: null,
    searching: null,
    skipped: 0,
    error: null,
    at: () => undefined,
    seen,
  };
  let [ended, busy, renewed, range] = [false, false, 0, [0, PAGE]];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function tell(part: Partial<RolloutLines>): void {
    if (ended) return;
    const at = isSearch
      ? (i: number) => found[i]
      : (i: number) => pages.get(Math.floor(i / PAGE))?.[i % PAGE];
    // New functions, so that what was drawn by the old ones is drawn again.
    now = { ...now, ...part, at: (index) => at(index) };
    changed();
  }

  function seen(from: number, to: number): void {
    range = [from, to];
    if (isSearch || now.total === null) return;
    wanted.clear();
    for (let page = Math.floor(from / PAGE); page * PAGE < Math.min(to, now.total); page++) {
      if (!pages.has(page)) wanted.add(page);
    }
    if (wanted.size > 0) next();
  }

  async function next(): Promise<void> {
    if (busy) return;
    busy = true;
    for (let [page] = wanted; page !== undefined && !ended; [page] = wanted) {
      wanted.delete(page);
      try {
        await readPage(page);
      } catch (error) {
        tell({ error: (error as Error).message });
        break;
      }
    }
    busy = false;
  }

  async function readPage(page: number): Promise<void> {
    const { lines, total, skipped } = await source.rollouts(id, { ...query, skip: page * PAGE, limit: PAGE });
    pages.delete(page);
    pages.set(page, lines);
    while (pages.size > MOST_PAGES) pages.delete(pages.keys().next().value!);
    tell({ total: total ?? lines.length, skipped, error: null });
  }

  /** Answers of a search stop early, and say where to go on. */
  async function search(): Promise<void> {
    let [after, scanned] = [undefined as number | undefined, 0];
    const stop = () => (ended = true, changed());
    try {
      do {
        const answer = await source.rollouts(id, { ...query, after, limit: PAGE });
        if (ended) return;
        found.push(...answer.lines);
        scanned += answer.scanned;
        after = answer.next ?? undefined;
        const searching = after === undefined ? null : { scanned, stop };
        tell({ total: found.length, searching, skipped: answer.skipped, error: null });
      } while (after !== undefined && found.length < MOST_FOUND);
      tell({ searching: null });
    } catch (error) {
      tell({ error: (error as Error).message, searching: null });
    }
  }

  return {
    now: () => now,
    begin(): () => void {
      ended = false;
      if (isSearch) search();
      else {
        wanted.add(0);
        next();
      }
      return () => {
        ended = true;
        clearTimeout(timer);
      };
    },
    /** The total, and pages that were not full or are seen, are asked for again. */
    renew(): void {
      if (isSearch) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        renewed = Date.now();
        for (const [page, lines] of pages) if (lines.length < PAGE) wanted.add(page);
        for (let page = Math.floor(range[0] / PAGE); page <= Math.floor(range[1] / PAGE); page++) {
          wanted.add(page);
        }
        next();
      }, Math.max(0, renewed + BETWEEN_MS - Date.now()));
    },
  };
}

/** More are read by nobody: the search is to be narrower. */
const MOST_FOUND = 2000;
