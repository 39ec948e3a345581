/** A number with its standard error; null where a single value tells nothing of its error. */
export interface Crossed {
  value: number;
  standardError: number | null;
}

/** The questions that values are of, in their order. */
export interface Asked {
  ids: readonly string[];
  /** The stream that they are of, where a report says it. */
  split?: string;
  /** SHA-256 of the questions with their answers, where a report says it. */
  hash?: string;
}

/** Whether the same was asked, as far as both tell: numbers of one row in two sets of data are no pair. */
export function sameQuestions(one: Asked | undefined, other: Asked | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  const isOther = (key: "split" | "hash") =>
    one[key] !== undefined && other[key] !== undefined && one[key] !== other[key];
  if (isOther("split") || isOther("hash") || one.ids.length !== other.ids.length) return false;
  return one.ids.every((id, i) => id === other.ids[i]);
}

/** Runs of one line with a value for each question, or one value each. */
export interface LineValues {
  /** Of each run; null of a model that was not trained, which goes with every seed. */
  seeds: readonly (number | null)[];
  /** [runs][questions]; the same questions in each. */
  values: readonly (readonly number[])[];
  /** The questions of each; absent of values that are of none. */
  asked?: Asked;
}

/**
 * The mean over runs and questions. Both are samples, and crossed: every run answers the same questions. The squared error is the
 * variance of the questions' means over their number, plus that of the runs' means over theirs; what is left of one answer is in both, so
 * that the error is rather too large. Of a single run it is that of the questions, of single values that of the runs.
 *
 * @param values [runs][questions]
 */
export function crossedMean(values: LineValues["values"]): Crossed {
  const byRun = values.map(mean);
  const byQuestion = values[0].map((_, question) => mean(values.map((run) => run[question])));
  const parts = [byRun, byQuestion].filter(({ length }) => length > 1)
    .map((means) => variance(means) / means.length);
  const error = parts.length === 0 ? null : Math.sqrt(parts.reduce((sum, part) => sum + part, 0));
  return { value: mean(byRun), standardError: error };
}

/**
 * By how much a line is above another: by question, and by seed where they have seeds in common; a model that was not trained is taken
 * from every run. Lines without a seed in common differ by their questions' means, with the runs' errors of both.
 *
 * @returns null where they were not asked the same questions
 */
export function crossedDifference(line: LineValues, other: LineValues): Crossed | null {
  if (!sameQuestions(line.asked, other.asked) || line.values[0].length !== other.values[0].length) {
    return null;
  }
  const pairs = pairedRuns(line, other);
  if (pairs.length > 0) {
    return crossedMean(pairs.map(([a, b]) => line.values[a].map((value, i) => value - other.values[b][i])));
  }
  const means = [line, other].map(({ values }) =>
    values[0].map((_, question) => mean(values.map((run) => run[question])))
  );
  const apart = crossedMean([means[0].map((value, i) => value - means[1][i])]);
  const ofRuns = [line, other].map(({ values }) => values.map(mean)).filter(({ length }) => length > 1)
    .map((runs) => variance(runs) / runs.length);
  if (apart.standardError === null && ofRuns.length < 2) return { value: apart.value, standardError: null };
  const squares = ofRuns.reduce((sum, part) => sum + part, (apart.standardError ?? 0) ** 2);
  return { value: apart.value, standardError: Math.sqrt(squares) };
}

/** Places of the runs that go together. */
function pairedRuns(line: LineValues, other: LineValues): [number, number][] {
  if (other.seeds.length === 1 && other.seeds[0] === null) return line.seeds.map((_, i) => [i, 0]);
  if (line.seeds.length === 1 && line.seeds[0] === null) return other.seeds.map((_, i) => [0, i]);
  return line.seeds.flatMap((seed, i): [number, number][] => {
    const same = other.seeds.indexOf(seed);
    return same < 0 ? [] : [[i, same]];
  });
}

/** The mean of at least one number. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The variance of a sample of at least two. */
function variance(values: readonly number[]): number {
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1);
}

/** The standard deviation of a sample; null of a single number. */
export const deviation = (values: readonly number[]): number | null =>
  values.length < 2 ? null : Math.sqrt(variance(values));
