import { UserError } from "../../gpu/errors.ts";
import { isFolder } from "../../model/files/on_disk.ts";
import { shown } from "../settings/shown.ts";
import { linesOfSweep } from "../sweep/sweep_folder.ts";
import { readRun, readUntrained, type RunRecord } from "./read_run.ts";
import type { RunReading } from "./run_reading.ts";

/** Runs that differ in their seed alone. */
export interface Line {
  name: string;
  runs: RunRecord[];
}

/** What two runs of a line may differ in, and what changes no bit of the results. */
const APART = ["seed", "out", "keep", "print-every", "sample-every", "sample-groups", "log", "save-every"];

/**
 * The lines of some runs. A sweep's folder stands for its runs, which have their names from it; all others are named after the settings
 * that tell them apart.
 *
 * @throws UserError if there is no run, or two are of one line and one seed
 */
export function linesOf(folders: readonly string[]): Line[] {
  const lines: Line[] = [];
  const alone: RunRecord[] = [];
  for (const folder of folders) {
    const names = linesOfSweep(folder);
    if (names) lines.push(...sweepLines(folder, names));
    else alone.push(readRun(folder));
  }
  const all = [...lines, ...linesBySettings(alone)];
  for (const { name, runs } of all) refuseTwice(name, runs);
  return all;
}

/** The lines of a sweep's folder, as far as it has come: runs of which nothing is measured are left out. */
export function sweepLines(
  folder: string,
  names: Readonly<Record<string, string>>,
  reading?: RunReading,
): Line[] {
  const lines = new Map<string, RunRecord[]>();
  for (let n = 1; isFolder(`${folder}/untrained${n === 1 ? "" : `-${n}`}`); n++) {
    const name = n === 1 ? "untrained" : `untrained-${n}`;
    lines.set(name, [readUntrained(`${folder}/${name}`, reading)]);
  }
  for (const [run, line] of Object.entries(names)) {
    const path = `${folder}/runs/${run}`;
    if (!isFolder(path)) continue;
    const record = readRun(path, reading);
    if (record.lines.length > 0) lines.set(line, [...lines.get(line) ?? [], record]);
  }
  return [...lines].map(([name, runs]) => ({ name, runs }));
}

function linesBySettings(runs: readonly RunRecord[]): Line[] {
  const keys = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))]
    .filter((key) => !APART.includes(key));
  const differing = keys.filter((key) => new Set(runs.map(({ settings }) => shown(settings[key]))).size > 1);
  const nameOf = ({ settings }: RunRecord) =>
    differing.filter((key) => settings[key] !== undefined)
      .map((key) => key === "thinking" ? shown(settings[key]) : `${key} ${shown(settings[key])}`).join(
        ", ",
      ) ||
    shown(settings.thinking);
  return [...Map.groupBy(runs, nameOf)].map(([name, runs]) => ({ name, runs }));
}

function refuseTwice(name: string, runs: readonly RunRecord[]): void {
  const twice = runs.find(({ seed }, i) => runs.findIndex((other) => other.seed === seed) < i);
  if (twice === undefined) return;
  const first = runs.find(({ seed }) => seed === twice.seed)!;
  throw new UserError(
    `Cannot compare ${first.folder} with ${twice.folder}: both are ${name} with seed ${twice.seed}, the same run twice`,
    "name one of them",
  );
}
