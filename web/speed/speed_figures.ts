import type { Columns } from "../data/view_data.ts";
import type { Curve, Figure } from "../figures/figure.ts";
import type { Phase } from "./phases.ts";

/** Seconds by phase, tokens a second and memory, over updates. What a run did not measure has no picture. */
export function speedFigures(columns: Columns, phases: readonly Phase[]): Figure[] {
  const x = (columns.step ?? []).map((step, i) => step ?? i + 1);
  const figure = (
    name: string,
    title: string,
    unit: string,
    curves: [string, (number | null)[]][],
  ): Figure => ({
    ...{ name, title, x: { label: "update" }, y: { label: unit, from: 0 } },
    curves: curves.flatMap(([name, y], colour): Curve[] =>
      y.some((value) => value !== null) ? [{ name, colour, dash: 0, x, y, look: "line" }] : []
    ),
  });
  const column = (key: string) => columns[key] ?? [];
  const gigabytes = (key: string) => column(key).map((size) => size === null ? null : size / 1e9);
  return [
    figure("time", "Time of an update", "seconds", phases.map(({ name, seconds }) => [name, seconds])),
    figure("tokens-a-second", "Tokens a second", "generated in rollouts", [
      ["tokens a second", column("time.rollout_tokens_per_second")],
    ]),
    figure("memory", "Most memory so far", "GB", [
      ["process", gigabytes("time.process_peak_bytes")],
      ["device", gigabytes("time.device_peak_bytes")],
    ]),
    figure("gflops", "Useful operations of the update", "GFLOP/s", [[
      "update",
      column("time.update_gflops"),
    ]]),
  ].filter(({ curves }) => curves.length > 0);
}
