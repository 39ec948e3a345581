import { UserError } from "../../gpu/errors.ts";
import { isFile, isFolder, isTaken } from "../../model/files/on_disk.ts";
import type { MetricsLine } from "../../rl/train.ts";
import { parseSettings } from "../settings/config_file.ts";
import { evaluationsIn, type Measured, measuredOfOneSet } from "./read_measured.ts";
import { ANYWHERE, type RunReading } from "./run_reading.ts";

/** What is on disk of a run, for comparing it with others. */
export interface RunRecord {
  /** Its folder. */
  folder: string;
  /** Its config.toml; empty of a model that was not trained. */
  settings: Record<string, unknown>;
  /** Null of a model that was not trained. */
  seed: number | null;
  /** A line an update. */
  lines: MetricsLine[];
  /** What was measured after how many updates, earliest first. */
  measured: Measured[];
}

/**
 * A run from its folder: its settings, its metrics, its own tables, and the evaluations that lie in `evaluations/step-000100/`.
 *
 * @throws UserError if there is no run, or a file of it is damaged
 */
export function readRun(folder: string, reading = ANYWHERE): RunRecord {
  if (!isFile(`${folder}/config.toml`)) {
    const found = isFolder(folder) ? "it holds no config.toml" : "there is no such folder";
    throw new UserError(`Cannot compare ${folder}: ${found}, a run's folder is needed`);
  }
  const path = `${folder}/config.toml`;
  const settings = settingsIn(path, reading);
  const lines = isTaken(`${folder}/metrics.jsonl`) ? reading.lines(`${folder}/metrics.jsonl`) : [];
  refuseTwice(folder, lines);
  return {
    folder,
    settings,
    seed: typeof settings.seed === "number" ? settings.seed : null,
    lines,
    measured: measuredOfOneSet(folder, settings, reading),
  };
}

/** A log that was put together by hand would count updates twice. */
function refuseTwice(folder: string, lines: readonly MetricsLine[]): void {
  const twice = lines.find(({ step }, i) => i > 0 && step <= lines[i - 1].step);
  if (twice === undefined) return;
  throw new UserError(
    `Cannot compare ${folder}: its metrics.jsonl has step ${twice.step} after a later one, or twice`,
    "each update has one line, in their order",
  );
}

function settingsIn(path: string, { text }: RunReading): Record<string, unknown> {
  let source: string;
  try {
    source = text(path);
  } catch (error) {
    throw new UserError(`Cannot read the configuration ${path}: ${(error as Error).message}`);
  }
  return parseSettings(source, path).values;
}

/** What was measured of a model that was not trained: the evaluations in a folder. */
export function readUntrained(folder: string, reading = ANYWHERE): RunRecord {
  return { folder, settings: {}, seed: null, lines: [], measured: evaluationsIn(folder, reading) };
}
