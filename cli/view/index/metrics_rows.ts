import type { BlockMaker } from "./file_index.ts";
import { textIn } from "./scan_record.ts";

/** What a block of metrics tells without its numbers. */
export interface MetricsExtra {
  /** Its columns, in their order. */
  keys: string[];
  /** Sums over its lines. */
  tokens: number;
  seconds: number;
  /** The best validation by then, over all blocks. */
  best: { step: number; accuracy: number } | null;
  /** Its last line, flat. */
  last: Record<string, number>;
}

/** Columns that are kept, and those of them that are one worker's or learner's: softcot has some 60 others. */
const [MOST_KEYS, MOST_OF_LISTS] = [400, 200];
/** Workers and learners that are told apart, the first ones. */
const MOST_NAMES = 24;
/** Records within each other. */
const DEEPEST = 4;

/**
 * Gathers lines of metrics in columns of f64, NaN where a line lacks one. A block's bytes are its columns one after another, in the order of
 * its keys.
 */
export function metricsMaker(): BlockMaker<MetricsExtra> {
  let columns = new Map<string, number[]>();
  let lines = 0;
  let listed = 0;
  let names = new Set<string>();
  let [tokens, seconds] = [0, 0];
  let best: MetricsExtra["best"] = null;
  let last: Record<string, number> = {};
  const hasRoom = (key: string) => {
    if (!LISTED.test(key)) return columns.size - listed < MOST_KEYS - MOST_OF_LISTS;
    const name = key.slice(0, key.lastIndexOf("."));
    if (listed >= MOST_OF_LISTS || (!names.has(name) && names.size >= MOST_NAMES)) return false;
    names.add(name);
    listed++;
    return true;
  };
  return {
    take(bytes, start, end) {
      const record = recordIn(textIn(bytes, start, end));
      if (record === undefined) return false;
      const flat = flatten(record);
      for (const [key, value] of flat) {
        let column = columns.get(key);
        if (!column && hasRoom(key)) columns.set(key, column = []);
        if (!column) continue;
        while (column.length < lines) column.push(NaN);
        column.push(value);
      }
      lines++;
      tokens += flat.get("tokens") ?? 0;
      seconds += flat.get("time.step") ?? 0;
      const [accuracy, step] = [flat.get("validation_accuracy"), flat.get("step")];
      if (accuracy !== undefined && step !== undefined && !(accuracy <= (best?.accuracy ?? -1))) {
        best = { step, accuracy };
      }
      last = Object.fromEntries([...flat].filter(([key]) => !LISTED.test(key)));
      return true;
    },
    restore(extra) {
      best = extra.best ?? best;
    },
    extra: () => ({ keys: [...columns.keys()], tokens, seconds, best, last }),
    isMarked: () => false,
    body() {
      const body = new Float64Array(columns.size * lines).fill(NaN);
      let at = 0;
      for (const column of columns.values()) {
        body.set(column, at);
        at += lines;
      }
      return new Uint8Array(body.buffer);
    },
    empty() {
      [columns, names] = [new Map(), new Set()];
      [lines, listed, tokens, seconds] = [0, 0, 0, 0];
    },
    reset() {
      [columns, names] = [new Map(), new Set()];
      [lines, listed, tokens, seconds, best, last] = [0, 0, 0, 0, null, {}];
    },
  };
}

/** The columns of a block by their keys; none where its bytes are no such columns. */
export function metricsColumns(
  { keys, lines, body }: { keys: unknown; lines: number; body: Uint8Array<ArrayBuffer> },
): Map<string, Float64Array> {
  if (!Array.isArray(keys) || body.length !== keys.length * lines * 8) return new Map();
  const bytes = body.byteOffset === 0 ? body.buffer : body.slice().buffer;
  return new Map(keys.map((key, i) => [String(key), new Float64Array(bytes, i * lines * 8, lines)]));
}

function recordIn(text: string): Record<string, unknown> | undefined {
  try {
    const record = JSON.parse(text);
    return typeof record === "object" && record !== null && !Array.isArray(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Keys of what each of several did. */
const LISTED = /^time\.(workers|learners)\./;

/** The numbers of a record, those of inner ones by keys with dots; of records in a list by their names, else by their places. */
function flatten(record: Record<string, unknown>, before = "", flat = new Map<string, number>(), depth = 1) {
  for (const [key, value] of Object.entries(record)) {
    if (typeof value === "number") flat.set(before + key, value);
    else if (typeof value === "object" && value !== null && depth < DEEPEST) {
      flatten(
        Array.isArray(value) ? byName(value) : value as Record<string, unknown>,
        `${before}${key}.`,
        flat,
        depth + 1,
      );
    }
  }
  return flat;
}

/** What is in a list of records; of one name, as learners tell of the same worker, their sums. */
function byName(list: readonly unknown[]): Record<string, unknown> {
  const all = new Map<string, Record<string, unknown>>();
  list.slice(0, MOST_OF_LISTS).forEach((one, place) => {
    if (typeof one !== "object" || one === null || Array.isArray(one)) return;
    const { name, ...rest } = one as Record<string, unknown>;
    const key = typeof name === "string" ? name : `${place}`;
    const known = all.get(key);
    for (const [field, value] of Object.entries(known ?? {})) {
      if (typeof value === "number" && typeof rest[field] === "number") rest[field] += value;
    }
    all.set(key, rest);
  });
  return Object.fromEntries(all);
}
