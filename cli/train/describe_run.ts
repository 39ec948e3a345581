import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { nameOf } from "../../rl/run/run_checkpoints.ts";
import { type Estimate, pairedChange } from "../../eval/measures/pass_at_k.ts";
import type { RunState } from "../../rl/run/run_state.ts";
import { counted } from "../terminal/counted.ts";
import { table } from "../terminal/table.ts";
import { describeProfile, type ProfileReport } from "./profile_report.ts";

/** What a finished run came to; the tables are null if it asked for none. */
export interface RunResult {
  /** Its folder. */
  run: string;
  steps: number;
  /** Updates that this process made; others were there when it began. */
  made: number;
  best: RunState["best"];
  seconds: number;
  /** In all six modes and those of the way that was trained: before, after, and of the best checkpoint where it is not the last; null where none was asked for. */
  tests: { before: ModeResult[] | null; after: ModeResult[] | null; best: ModeResult[] | null };
  /** Where the time of the updates went, if it was measured. */
  profile?: ProfileReport;
}

/** The result as people read it. */
export function describeRun({ profile, ...result }: RunResult): string {
  const told = describeResult(result);
  return profile ? `${told}\n\n${describeProfile(profile)}` : told;
}

function describeResult({ run, steps, made, best, seconds, tests }: RunResult): string {
  const updates = `${made === steps ? "" : `${made} of `}${counted(steps, "update")}`;
  const lines = [`${updates} in ${Math.round(seconds)} s; the run is in ${run}`];
  if (best) {
    const place = `${run}/checkpoints/${nameOf(best.step)}`;
    lines.push(`best validation: ${best.accuracy.toFixed(3)} at step ${best.step} (${place})`);
  }
  const { before, after } = tests;
  if (!after) return lines.join("\n");
  lines.push(
    "",
    `accuracy on ${after[0].questions.length} test questions ± standard error; the rise is paired`,
  );
  const columns: [string, (i: number) => Estimate][] = [];
  if (before) columns.push(["before", (i) => before[i].accuracy]);
  columns.push(["after", (i) => after[i].accuracy]);
  if (before) columns.push(["rise", (i) => rise(before[i], after[i])]);
  const chosen = tests.best;
  if (chosen) columns.push([`best (step ${best?.step})`, (i) => chosen[i].accuracy]);
  const told = ({ value, standardError }: Estimate) => `${value.toFixed(3)} ± ${standardError.toFixed(3)}`;
  const rows = after.map(({ mode }, i) => [mode, ...columns.map(([, value]) => told(value(i)))]);
  return [...lines, table(rows, { header: ["mode", ...columns.map(([name]) => name)], align: ["left"] })]
    .join("\n");
}

/** The change over the same questions: its error is that of the questions' own differences. */
function rise(before: ModeResult, after: ModeResult): Estimate {
  const shares = ({ questions }: ModeResult) => questions.map(({ correct, samples }) => correct / samples);
  return pairedChange(shares(before), shares(after));
}
