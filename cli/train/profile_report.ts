import type { Gpu } from "../../gpu/gpu.ts";
import type { KernelTime } from "../../gpu/profile.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { table } from "../terminal/table.ts";

/** Where the time of a run went. */
export interface ProfileReport {
  /** Seconds by the clock, from the first update on. */
  seconds: number;
  /** Seconds of GPU time by phase. */
  phases: { phase: string; seconds: number }[];
  /** Share of the clock in which the GPU had nothing to do. */
  idle: number;
  /** Slowest first. */
  kernels: KernelTime[];
}

/** Sums the times of kernels up. */
function profileReport(kernels: KernelTime[], seconds: number): ProfileReport {
  const phases = new Map<string, number>();
  for (const { phase, nanoseconds } of kernels) {
    phases.set(phase, (phases.get(phase) ?? 0) + nanoseconds / 1e9);
  }
  const busy = [...phases.values()].reduce((sum, time) => sum + time, 0);
  return {
    seconds,
    phases: [...phases].map(([phase, seconds]) => ({ phase, seconds })).sort((a, b) => b.seconds - a.seconds),
    idle: Math.max(0, 1 - busy / seconds),
    kernels,
  };
}

// The others together are next to nothing.
const SHOWN = 25;

/** The report as people read it. */
export function describeProfile({ seconds, phases, idle, kernels }: ProfileReport): string {
  const busy = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const share = (part: number) => `${(100 * part / busy).toFixed(1)}%`;
  const rows = kernels.slice(0, SHOWN).map(({ phase, label, nanoseconds, dispatches }) => [
    phase,
    label,
    String(dispatches),
    (nanoseconds / 1e6).toFixed(1),
    (nanoseconds / dispatches / 1e3).toFixed(1),
    share(nanoseconds / 1e9),
  ]);
  const left = kernels.slice(SHOWN).reduce((sum, { nanoseconds }) => sum + nanoseconds / 1e9, 0);
  return [
    `${seconds.toFixed(1)} s, of which the GPU was idle ${
      (100 * idle).toFixed(0)
    }% (timing each kernel adds to it)`,
    table(phases.map((phase) => [phase.phase, `${phase.seconds.toFixed(2)} s`, share(phase.seconds)]), {
      header: ["phase", "GPU time", "share"],
      align: ["left", "right", "right"],
    }),
    table(rows, {
      header: ["phase", "kernel", "dispatches", "ms", "us each", "share"],
      align: ["left", "left", "right", "right", "right", "right"],
    }),
    ...(kernels.length > SHOWN ? [`${kernels.length - SHOWN} more kernels took ${share(left)}`] : []),
  ].join("\n\n");
}

/**
 * Where the time of the training went, if that was asked for; kept in the run's folder, too, as profile.json.
 *
 * @param updates the first and the last that were timed
 */
export async function profileOf(
  { profile, adapter }: Gpu,
  { folder, started, updates }: { folder: string; started: number; updates: { from: number; to: number } },
): Promise<ProfileReport | undefined> {
  if (!profile.on) return undefined;
  const seconds = (performance.now() - started) / 1000;
  const kernels = (await profile.report()).filter(({ phase }) => phase !== "");
  const report = profileReport(kernels, seconds);
  writeJson(`${folder}/profile.json`, { version: 1, device: adapter.name, updates, ...report });
  return report;
}
