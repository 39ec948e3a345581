import { resolve } from "node:path";
import { UserError } from "../../gpu/errors.ts";
import { isFolder } from "../../model/files/on_disk.ts";
import { shown } from "../settings/shown.ts";
import { linesOfSweep } from "../sweep/sweep_folder.ts";
import { createNotes } from "./notes.ts";
import { readRun, readUntrained, type RunRecord } from "./read_run.ts";
import type { RunReading } from "./run_reading.ts";

/** Runs that differ in their seed alone. */
export interface Line {
  name: string;
  runs: RunRecord[];
}

/** The lines of some folders. */
export interface ReadLines {
  lines: Line[];
  /** What is left out of them, and why. */
  notes: string[];
}

/** What two runs of a line may differ in, and what changes no bit of the results. */
const APART = ["seed", "out", "keep", "print-every", "sample-every", "sample-groups", "log", "save-every"];

/**
 * The lines of some runs. A sweep's folder stands for its runs, which have their names from it, behind the folder's where another line is
 * called so too; all others are named after the settings that tell them apart.
 *
 * @throws UserError if there is no run, a run is there twice, or two are of one line and one seed
 */
export function linesOf(folders: readonly string[]): ReadLines {
  refuseSame(folders);
  const sweeps: (ReadLines & { folder: string })[] = [];
  const alone: RunRecord[] = [];
  for (const folder of folders) {
    const names = linesOfSweep(folder);
    if (names) sweeps.push({ folder, ...sweepLines(folder, names) });
    else alone.push(readRun(folder));
  }
  const rest = linesBySettings(alone);
  const all = [...sweeps.flatMap(({ lines }) => lines), ...rest];
  const isTwice = (name: string) => all.filter((line) => line.name === name).length > 1;
  const named = sweeps.flatMap(({ folder, lines }) =>
    lines.map(({ name, runs }) => ({ name: isTwice(name) ? `${folder}/${name}` : name, runs }))
  );
  refuseSame(all.flatMap(({ runs }) => runs.map(({ folder }) => folder)));
  for (const { name, runs } of all) refuseTwice(name, runs);
  return { lines: [...named, ...rest], notes: sweeps.flatMap(({ notes }) => notes) };
}

/** The lines of a sweep's folder, as far as it has come: runs that are not begun, or cannot be read, are left out by name. */
export function sweepLines(
  folder: string,
  names: Readonly<Record<string, string>>,
  reading?: RunReading,
): ReadLines {
  const lines = new Map<string, RunRecord[]>();
  const notes = createNotes();
  const add = (line: string, path: string, read: typeof readRun) => {
    try {
      const record = read(path, reading);
      const isEmpty = record.lines.length === 0 && record.measured.length === 0;
      if (isEmpty) notes.leaveOut(path, "nothing was trained or measured");
      else lines.set(line, [...lines.get(line) ?? [], record]);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      notes.add(`left out: ${error.message}`);
    }
  };
  for (let n = 1; isFolder(`${folder}/untrained${n === 1 ? "" : `-${n}`}`); n++) {
    const name = n === 1 ? "untrained" : `untrained-${n}`;
    add(name, `${folder}/${name}`, readUntrained);
  }
  for (const [run, line] of Object.entries(names)) {
    const path = `${folder}/runs/${run}`;
    if (isFolder(path)) add(line, path, readRun);
    else notes.leaveOut(path, "not begun");
  }
  return { lines: [...lines].map(([name, runs]) => ({ name, runs })), notes: notes.list() };
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

/** By whatever paths they are named. */
function refuseSame(folders: readonly string[]): void {
  const real = folders.map((folder) => {
    try {
      return Deno.realPathSync(folder);
    } catch {
      return resolve(folder); // It is not there: reading it says so.
    }
  });
  const twice = real.findIndex((path, i) => real.indexOf(path) < i);
  if (twice < 0) return;
  throw new UserError(
    `Cannot compare ${folders[real.indexOf(real[twice])]} with ${folders[twice]}: it is the same run twice`,
    "name one of them",
  );
}
