import { isFile, isFolder, linkTarget } from "./on_disk.ts";
import { readPlainText } from "./plain_file.ts";

/** The name in a run's folder, a file that holds `checkpoints/step-N`; runs of old have a link of that name. */
export const BEST = "best";

/** The folder of a run's best checkpoint; undefined where the run names none. */
export function bestCheckpoint(run: string): string | undefined {
  const path = `${run}/${BEST}`;
  const link = linkTarget(path);
  if (link === undefined && isFolder(path)) return path;
  const step = STEP.exec(link ?? textOf(path))?.[0];
  return step && `${run}/${step}`;
}

/** What a name stands for: the checkpoint where it is the file `best` of a run, else itself. */
export function behindBest(name: string): string {
  const run = /^(?:(.*)\/)?best$/.exec(name);
  return run && isFile(name) ? bestCheckpoint(run[1] ?? ".") ?? name : name;
}

/** Within the run's folder, and nowhere else. */
const STEP = /^checkpoints\/step-\d{6,}$/;

function textOf(path: string): string {
  try {
    return readPlainText(path, 100).trim();
  } catch {
    return ""; // none yet, or something else of that name
  }
}
