import { UserError } from "../../gpu/errors.ts";
import { type ComparisonRow, rowsOf } from "./comparison_rows.ts";
import { endOf } from "./line_values.ts";
import type { Line, ReadLines } from "./lines_of.ts";
import { createNotes, type Notes } from "./notes.ts";

/** Lines side by side. */
export interface Comparison {
  /** The line that the others are compared with. */
  against: string;
  /** Its end, which differences are to: updates by then. */
  end: number;
  rows: ComparisonRow[];
  /** What is left out, and why, in sentences. */
  notes: string[];
}

/** What is to be compared. */
export interface CompareOptions {
  /** Name of a line; the first that was trained if left out. */
  against?: string;
  /** After every number of updates that was measured, not at the end alone. */
  checkpoints?: boolean;
  /** Only these modes. */
  modes?: readonly string[];
}

/**
 * Compares lines: mean and standard deviation over seeds, and differences paired by seed and question. Runs that were not measured, or
 * were asked other questions than the rest of their line, are left out by name.
 *
 * @throws UserError if the line to compare with is not there
 */
export function compareLines({ lines, notes: before }: ReadLines, options: CompareOptions = {}): Comparison {
  const notes = createNotes(before);
  const all = lines.map((line) => measuredRuns(line, notes));
  const against = options.against === undefined
    ? all.find(({ runs }) => runs.some(({ seed }) => seed !== null)) ?? all[0]
    : all.find(({ name }) => name === options.against);
  if (against === undefined) {
    throw new UserError(
      `Cannot compare with ${options.against ?? "nothing"}: there is no such line`,
      [`the lines are ${lines.map(({ name }) => name).join("; ") || "none"}`, ...before].join("\n"),
    );
  }
  const { modes, checkpoints = false } = options;
  const rows = all.flatMap((line) => rowsOf({ line, against, modes, notes }, checkpoints));
  return { against: against.name, end: endOf(against), rows, notes: notes.list() };
}

/** Where runs of a line were measured, those; the others are named. Of a line that was not all stay, for what they cost. */
function measuredRuns({ name, runs }: Line, notes: Notes): Line {
  const measured = runs.filter((run) => run.measured.length > 0);
  if (measured.length === 0) return { name, runs };
  for (const run of runs) if (!measured.includes(run)) notes.leaveOut(run.folder, "nothing was measured");
  return { name, runs: measured };
}
