import type { ModeResult } from "../eval/mode_result.ts";
import { type Estimate, pairedChange } from "../eval/pass_at_k.ts";
import type { RunState } from "../rl/run.ts";
import { table } from "./table.ts";

/** What a finished run came to; the tables are null if it asked for none. */
export interface RunResult {
  /** Its folder. */
  run: string;
  steps: number;
  best: RunState["best"];
  seconds: number;
  before: ModeResult[] | null;
  after: ModeResult[] | null;
}

/** The result as people read it. */
export function describeRun({ run, steps, best, seconds, before, after }: RunResult): string {
  const lines = [`${steps} updates in ${Math.round(seconds)} s; the run is in ${run}`];
  if (best) lines.push(`best validation: ${best.accuracy.toFixed(3)} at step ${best.step} (${run}/best)`);
  if (!before || !after) return lines.join("\n");
  const rows = before.map((mode, i) => {
    const cells = [mode.accuracy, after[i].accuracy, rise(mode, after[i])];
    return [
      mode.mode,
      ...cells.map(({ value, standardError }) => `${value.toFixed(3)} ± ${standardError.toFixed(3)}`),
    ];
  });
  lines.push(
    "",
    `accuracy on ${
      before[0].questions.length
    } test questions ± standard error, before and after; the rise is paired`,
  );
  return [...lines, table(rows, { header: ["mode", "before", "after", "rise"], align: ["left"] })].join("\n");
}

/** The change over the same questions: its error is that of the questions' own differences. */
function rise(before: ModeResult, after: ModeResult): Estimate {
  const shares = ({ questions }: ModeResult) => questions.map(({ correct, samples }) => correct / samples);
  return pairedChange(shares(before), shares(after));
}
