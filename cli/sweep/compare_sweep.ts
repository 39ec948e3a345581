import { writeJson } from "../../model/files/write_whole.ts";
import { compareLines, type Comparison } from "../compare/comparison.ts";
import { sweepLines } from "../compare/lines_of.ts";
import type { SweepPlan } from "./sweep_plan.ts";

/** All lines of a sweep; kept in its folder. */
export function compareSweep(folder: string, { runs }: SweepPlan): Comparison {
  const names = Object.fromEntries(runs.map(({ name, line }) => [name, line]));
  const comparison = compareLines(sweepLines(folder, names));
  writeJson(`${folder}/comparison.json`, comparison);
  return comparison;
}
