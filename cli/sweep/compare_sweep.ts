import { writeJson } from "../../model/files/write_whole.ts";
import { compareLines, type Comparison } from "../compare/comparison.ts";
import { type ReadLines, sweepLines } from "../compare/lines_of.ts";
import type { SweepPlan } from "./sweep_plan.ts";

/** The lines of a sweep that was run by this plan. */
export const readLines = (folder: string, { runs }: SweepPlan): ReadLines =>
  sweepLines(folder, Object.fromEntries(runs.map(({ name, line }) => [name, line])));

/** All lines of a sweep side by side; kept in its folder. */
export function compareSweep(folder: string, lines: ReadLines): Comparison {
  const comparison = compareLines(lines);
  writeJson(`${folder}/comparison.json`, comparison);
  return comparison;
}
