import { UserError } from "../../gpu/errors.ts";

/** Entropy at one range of thinking positions. */
export interface EntropyRow {
  /** First position of the range, from 0. */
  position: number;
  /** First position after it. */
  end: number;
  /** In nats, over all steps generated there. */
  mean: number;
  /** Of the mean, from the spread between steps; 0 where there is only one. */
  standardError: number;
  /** Steps generated there: fewer and fewer, as rollouts end. */
  count: number;
}

/** Collects the entropy of the token distribution (tau = 1) by thinking position. */
interface EntropyProfile {
  /**
   * Adds one rollout.
   *
   * @param entropies in nats, one a step
   * @param steps how many of them belong to steps that were really generated; defaults to all
   * @throws UserError if one is no finite number
   */
  add(entropies: ArrayLike<number>, steps?: number): void;
  /** The profile in ranges of `width` positions, up to the last position that was generated. */
  rows(width?: number): EntropyRow[];
  /** The mean over all steps of all rollouts; null if there is none. */
  mean(): number | null;
}

/** An empty profile. */
export function entropyProfile(): EntropyProfile {
  const counts: number[] = [];
  const sums: number[] = [];
  const squares: number[] = [];
  const add = (entropies: ArrayLike<number>, steps = entropies.length) => {
    if (steps > entropies.length) {
      throw new Error(`Cannot add ${steps} steps: ${entropies.length} entropies are given`);
    }
    for (let position = 0; position < steps; position++) {
      const value = entropies[position];
      if (!Number.isFinite(value)) throw notFinite(value, position);
      counts[position] = (counts[position] ?? 0) + 1;
      sums[position] = (sums[position] ?? 0) + value;
      squares[position] = (squares[position] ?? 0) + value * value;
    }
  };
  const total = (values: number[], from = 0, end = values.length) =>
    values.slice(from, end).reduce((sum, value) => sum + value, 0);
  const rowOf = (position: number, end: number): EntropyRow => {
    const count = total(counts, position, end);
    const mean = total(sums, position, end) / count;
    const spread = Math.max(0, total(squares, position, end) / count - mean * mean);
    const standardError = count > 1 ? Math.sqrt(spread / (count - 1)) : 0;
    return { position, end, mean, standardError, count };
  };
  const rows = (width = 1) => {
    if (!Number.isInteger(width) || width < 1) {
      throw new UserError(`Cannot show entropy by ${width} positions: a whole number from 1 on is needed`);
    }
    const starts = Array.from({ length: Math.ceil(counts.length / width) }, (_, i) => i * width);
    return starts.map((start) => rowOf(start, Math.min(start + width, counts.length)));
  };
  return { add, rows, mean: () => counts.length === 0 ? null : total(sums) / total(counts) };
}

/**
 * The same rows in at most so many ranges, of as many rows each: means and errors are those of all steps within.
 *
 * @param most ranges
 */
export function mergedRows(rows: readonly EntropyRow[], most: number): EntropyRow[] {
  const each = Math.ceil(rows.length / most);
  return Array.from({ length: each === 0 ? 0 : Math.ceil(rows.length / each) }, (_, i) => {
    const parts = rows.slice(i * each, (i + 1) * each);
    const total = (value: (row: EntropyRow) => number) => parts.reduce((sum, row) => sum + value(row), 0);
    const count = total((row) => row.count);
    const mean = total((row) => row.count * row.mean) / count;
    // Of each row the spread between its steps, and how far its mean is from that of all.
    const squares = total((row) =>
      row.count * (row.standardError ** 2 * (row.count - 1) + (row.mean - mean) ** 2)
    );
    const standardError = count > 1 ? Math.sqrt(squares / count / (count - 1)) : 0;
    return { position: parts[0].position, end: parts.at(-1)!.end, mean, standardError, count };
  });
}

function notFinite(value: number, position: number): UserError {
  return new UserError(
    `Cannot measure the thinking: its entropy at step ${
      position + 1
    } is ${value}, the model's numbers are finite no more`,
    "noise that is too large does that (--gamma), or damaged weights, or f16 that cannot hold them (--weights f32)",
  );
}
