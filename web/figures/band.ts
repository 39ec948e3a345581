/** One run's curve. */
export interface Sampled {
  x: readonly number[];
  y: readonly (number | null)[];
}

/** What a band shows around the mean. */
export type Band = "sd" | "error" | "range";

/** The mean of several runs and the band around it. */
export interface Banded {
  x: number[];
  y: number[];
  low: number[];
  high: number[];
}

const POINTS = 400;

/**
 * Mean over runs, and standard deviation (n - 1), standard error, or least and most around it. Where runs have the same x they are compared
 * there; otherwise at evenly spread x, between their points on straight lines. It is of those runs that have come so far: where one of them has
 * ended, or is younger, the others go on alone.
 */
export function band(runs: readonly Sampled[], of: Band): Banded {
  const whole = runs.map(withoutGaps).filter(({ x }) => x.length > 0);
  const banded: Banded = { x: [], y: [], low: [], high: [] };
  const xs = places(whole);
  const at = whole.map((run) => along(run, xs));
  xs.forEach((x, i) => {
    const values = at.map((one) => one[i]).filter((value) => value !== null);
    if (values.length === 0) return;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const [low, high] = endsOf(values, mean, of);
    banded.x.push(x);
    banded.y.push(mean);
    banded.low.push(low);
    banded.high.push(high);
  });
  return banded;
}

function endsOf(values: readonly number[], mean: number, of: Band): [number, number] {
  if (of === "range") return [Math.min(...values), Math.max(...values)];
  if (values.length < 2) return [mean, mean];
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const sd = Math.sqrt(squares / (values.length - 1));
  const half = of === "sd" ? sd : sd / Math.sqrt(values.length);
  return [mean - half, mean + half];
}

function withoutGaps({ x, y }: Sampled): { x: number[]; y: number[] } {
  const there = x.map((_, i) => i).filter((i) => y[i] !== null && Number.isFinite(y[i]));
  return { x: there.map((i) => x[i]), y: there.map((i) => y[i]!) };
}

/** All x if the runs share many of them; else evenly spread ones from the first to the last. */
function places(runs: readonly { x: readonly number[] }[]): number[] {
  if (runs.length === 0) return [];
  const longest = Math.max(...runs.map(({ x }) => x.length));
  const all = [...new Set(runs.flatMap(({ x }) => x))].sort((a, b) => a - b);
  if (all.length <= 1.5 * longest) return all;
  const [from, to] = [all[0], all.at(-1)!];
  const count = Math.min(POINTS, Math.max(2, longest));
  return Array.from({ length: count }, (_, i) => from + (to - from) * i / (count - 1));
}

/** Values at places in ascending order; null outside of the run's range. */
function along(
  { x, y }: { x: readonly number[]; y: readonly number[] },
  places: readonly number[],
): (number | null)[] {
  let i = 0;
  return places.map((place) => {
    if (place < x[0] || place > x.at(-1)!) return null;
    while (i < x.length - 2 && x[i + 1] < place) i++;
    if (x.length === 1 || x[i] === place) return y[i];
    const share = (place - x[i]) / (x[i + 1] - x[i]);
    return y[i] + share * (y[i + 1] - y[i]);
  });
}
