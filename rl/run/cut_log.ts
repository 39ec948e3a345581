import { isTaken } from "../../model/files/on_disk.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import { writeWhole } from "../../model/files/write_whole.ts";

/** Bytes: a text of V8 has no more characters than about 2^29. */
const MOST_LOG = 500_000_000;

/** What a log held. */
export interface CutLog {
  /** Steps of the lines that are kept, in their order. */
  steps: number[];
  /** The last step that it had a line of; 0 if it had none. */
  last: number;
  /** Lines that could not be read, but for a last one that was being written. */
  damaged: number;
}

/** Cuts a log after the last whole line of `step` or an earlier one; what cannot be read goes, too. */
export function cutLog(path: string, step: number): CutLog {
  const { lines, ...log } = readLog(path, step);
  if (isTaken(path)) writeWhole(path, lines.map((line) => line + "\n").join(""));
  return log;
}

/** The lines of a log up to those of `step`, and what else it held. */
export function readLog(path: string, step = Infinity): CutLog & { lines: string[] } {
  const log: CutLog = { steps: [], last: 0, damaged: 0 };
  if (!isTaken(path)) return { ...log, lines: [] };
  const lines = readPlainText(path, MOST_LOG).split("\n").slice(0, -1).filter((line) => {
    const found = stepOfLine(line);
    if (found === undefined) log.damaged++;
    else log.last = Math.max(log.last, found);
    if (found === undefined || found > step) return false;
    log.steps.push(found);
    return true;
  });
  return { ...log, lines };
}

function stepOfLine(line: string): number | undefined {
  try {
    const { step } = JSON.parse(line);
    return typeof step === "number" ? step : undefined;
  } catch {
    return undefined;
  }
}
