/** What goes wrong with a learner's workers, by the first word of a line. */
const WRONG = /^(failed|refused|again|waiting|warning)\s/;
/** What comes before a line's text. */
const COLUMN = 9;

/** What of a line is told by one of several learners: the first tells all, the others what goes wrong, with their number. */
export function toldByLearner(rank: number, line: string): string | undefined {
  if (rank === 0) return line;
  return WRONG.test(line) ? `${line.slice(0, COLUMN)}learner ${rank}: ${line.slice(COLUMN)}` : undefined;
}
