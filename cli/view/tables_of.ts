import { join } from "node:path";
import { isFile, isFolder } from "../../model/files/on_disk.ts";
import type { Tables } from "../../web/data/view_data.ts";
import { compareLines } from "../compare/comparison.ts";
import { sweepLines } from "../compare/lines_of.ts";
import { type Measured, readBestTests, readMeasured, readReport } from "../compare/read_measured.ts";
import type { RunReading } from "../compare/run_reading.ts";
import { readClaims } from "../sweep/claims/read_claims.ts";
import { choicesOf, modeOf, type Where } from "./measured_of.ts";
import { metricsLines } from "./metrics_lines.ts";
import type { OpenPlace } from "./open_place.ts";
import { partialModes } from "./partial_modes.ts";
import { readWithin } from "./read_within.ts";

/**
 * What was measured of a place.
 * @param runs of a sweep: its runs that are open
 */
export function tablesOf(place: OpenPlace, runs: readonly OpenPlace[]): Tables {
  const { found: { id, kind, path, root } } = place;
  const tables: Tables = { id, measured: [], choices: [], comparison: null, claims: null, notes: [] };
  const text: RunReading["text"] = (path, most) => readWithin(root.path, path, most);
  const lines = (path: string) => {
    const run = runs.find(({ metrics }) => metrics?.path === path);
    return run ? metricsLines(run) : [];
  };
  const inRoot = (text: string) => text.replaceAll(`${root.path}/`, `${root.id}/`);
  const trying = (read: () => void) => {
    try {
      read();
    } catch (error) {
      tables.notes.push(inRoot((error as Error).message));
    }
  };
  const add: Add = (found, where, before = []) => {
    for (const one of found) {
      tables.measured.push(...one.modes.map((mode) => {
        const same = before.find(({ task, result }) =>
          task === mode.task && result.mode === mode.result.mode
        );
        return modeOf(mode, where(one), same === mode ? undefined : same?.result);
      }));
      tables.choices.push(...one.choices.map((choices) => choicesOf(choices, where(one))));
    }
  };
  const addRun = (one: OpenPlace) => trying(() => addRunTo(one, add, { text, lines }));
  if (kind === "run") addRun(place);
  if (kind === "evaluation") {
    const where: Where = { line: place.found.name, of: id, step: null, when: "evaluation" };
    const report = join(path, "report.json");
    if (isFile(report)) trying(() => add([{ step: 0, ...readReport(report, { text, lines }) }], () => where));
    else tables.measured.push(...partialModes(place, where));
  }
  if (kind === "sweep") {
    for (let n = 1; isFolder(join(path, untrained(n))); n++) {
      const folder = join(path, untrained(n));
      const where = ({ step }: Measured): Where => ({ line: untrained(n), of: id, step, when: "before" });
      trying(() => add(readMeasured(folder, {}, { text, lines }), where));
    }
    runs.forEach(addRun);
    trying(() => {
      const names = Object.fromEntries(runs.map(({ found }) => [found.name, found.line ?? found.name]));
      const all = sweepLines(path, names, { text, lines });
      if (all.lines.length === 0) return;
      const comparison = compareLines(all);
      tables.comparison = { ...comparison, notes: comparison.notes.map(inRoot) };
    });
    const claims = join(path, "claims.json");
    if (isFile(claims)) trying(() => tables.claims = readClaims(text(claims)));
  }
  return tables;
}

/** Takes in what was measured, and where; `before`: in the same run before its training. */
type Add = (
  found: readonly Measured[],
  where: (one: Measured) => Where,
  before?: Measured["modes"],
) => void;

const untrained = (n: number): string => n === 1 ? "untrained" : `untrained-${n}`;

function addRunTo(
  { found: { id, path, name, line }, settings }: OpenPlace,
  add: Add,
  reading: RunReading,
): void {
  const asked = Number(settings().steps);
  const at = { line: line ?? name, of: id };
  const measured = readMeasured(path, settings(), reading);
  const before = measured.find(({ step }) => step === 0);
  add(measured, ({ step }) => ({
    ...at,
    step,
    when: step === 0 ? "before" : step === asked ? "after" : "checkpoint",
  }), before?.modes);
  const best = readBestTests(path, reading);
  if (best.length === 0) return;
  const step = Number(/step-(\d+)\s*$/.exec(reading.text(join(path, "best")))?.[1] ?? NaN);
  const modes = best.map((result) => ({ task: String(settings().task), result }));
  add([{ step, modes, choices: [] }], () => ({
    ...at,
    step: Number.isNaN(step) ? null : step,
    when: "best",
  }), before?.modes);
}
