import { type FileLine, keepParts, linesOf } from "../../model/files/lines_of.ts";
import { isTaken } from "../../model/files/on_disk.ts";
import { openOwn } from "../../model/files/own_file.ts";

/** What a log held. */
export interface CutLog {
  /** Steps of the lines that are kept, in their order. */
  steps: number[];
  /** The last step that it had a line of; 0 if it had none. */
  last: number;
  /** Lines that could not be read, but for a last one that was being written. */
  damaged: number;
}

/** A log's lines, where each lies; none of it is held. */
interface ReadLog extends CutLog {
  kept: Pick<FileLine, "start" | "bytes">[];
}

/** Cuts a log, however long, after the last whole line of `step` or an earlier one; what cannot be read goes, too. */
export function cutLog(path: string, step: number): CutLog {
  const { kept, ...log } = readKept(path, step);
  if (!isTaken(path)) return log;
  const end = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  // Where something in the middle is lost the rest moves up; else the end alone goes.
  if (kept.length > 0 && kept.at(-1)!.start + kept.at(-1)!.bytes !== end) keepParts(path, kept);
  else {
    using file = openOwn(path, { write: true });
    file.truncateSync(end);
  }
  return log;
}

/** What a log held. */
export const readLog = (path: string): CutLog => readKept(path, Infinity);

function readKept(path: string, step: number): ReadLog {
  const log: ReadLog = { steps: [], last: 0, damaged: 0, kept: [] };
  for (const { text, start, bytes } of isTaken(path) ? linesOf(path) : []) {
    const found = stepOfLine(text);
    if (found === undefined) log.damaged++;
    else log.last = Math.max(log.last, found);
    if (found === undefined || found > step) continue;
    log.steps.push(found);
    log.kept.push({ start, bytes });
  }
  return log;
}

function stepOfLine(line: string): number | undefined {
  try {
    const { step } = JSON.parse(line);
    return typeof step === "number" ? step : undefined;
  } catch {
    return undefined;
  }
}
