import type { Columns, Metrics } from "./view_data.ts";

/** Points a column where a query asks for no number. */
export const USUAL_POINTS = 2000;

/** Thins lines of numbers to so many points, a part of the lines at a time. */
export interface ColumnSampler {
  /**
   * Takes some lines.
   * @param line the first one's place
   * @param values one a line; NaN, null or undefined where a line lacks it
   */
  add(key: string, line: number, values: ArrayLike<number | null | undefined>): void;
  /** The columns so far. */
  result(): Pick<Metrics, "columns" | "sampled">;
}

/**
 * An empty sampler of the lines `from` to `to`. Where they are more than `points`, a point stands for several: their mean, with the least
 * and the most of them; of what counts on from line to line it is the last.
 */
export function columnSampler(from: number, to: number, points = USUAL_POINTS): ColumnSampler {
  const each = Math.max(1, Math.ceil((to - from) / Math.max(1, points)));
  const length = Math.ceil(Math.max(0, to - from) / each);
  const columns = new Map<string, Column>();
  return {
    add(key, line, values) {
      let column = columns.get(key);
      if (!column) columns.set(key, column = emptyColumn(length));
      const counts = countsOn(key);
      for (let i = Math.max(0, from - line); i < values.length && line + i < to; i++) {
        const value = values[i];
        if (typeof value === "number" && !Number.isNaN(value)) {
          take(column, Math.floor((line + i - from) / each), value, counts);
        }
      }
    },
    result() {
      const of = (value: (column: Column, i: number) => number): Columns =>
        Object.fromEntries(
          [...columns].map(([key, column]) => [
            key,
            Array.from({ length }, (_, i) => column.count[i] === 0 ? null : value(column, i)),
          ]),
        );
      if (each === 1) return { columns: of(({ sum }, i) => sum[i]), sampled: null };
      return {
        columns: of(({ sum, count }, i) => shortened(sum[i] / count[i])),
        sampled: { each, low: of(({ low }, i) => low[i]), high: of(({ high }, i) => high[i]) },
      };
    },
  };
}

interface Column {
  sum: Float64Array;
  count: Uint32Array;
  low: Float64Array;
  high: Float64Array;
}

const emptyColumn = (length: number): Column => ({
  sum: new Float64Array(length),
  count: new Uint32Array(length),
  low: new Float64Array(length).fill(Infinity),
  high: new Float64Array(length).fill(-Infinity),
});

function take(column: Column, at: number, value: number, counts: boolean): void {
  column.sum[at] = counts ? value : column.sum[at] + value;
  column.count[at] = counts ? 1 : column.count[at] + 1;
  column.low[at] = Math.min(column.low[at], value);
  column.high[at] = Math.max(column.high[at], value);
}

/** Whether a column grows from line to line: a mean of it would be of no line. */
const countsOn = (key: string): boolean =>
  key === "step" || key === "line" || key === "tokens_seen" || key.startsWith("total.");

/** Eight digits are more than any screen has. */
const shortened = (value: number): number => Number.isInteger(value) ? value : Number(value.toPrecision(8));
