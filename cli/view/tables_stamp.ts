import { join } from "node:path";
import { namesIn } from "../../model/files/on_disk.ts";
import type { OpenPlace } from "./open_place.ts";
import { stampOf } from "./read_within.ts";

/** What tables are made of, beside what is indexed and evaluations in folders of their own. */
const FILES = {
  run: ["config.toml", "tests.json", "best"],
  evaluation: ["settings.json", "report.json"],
  sweep: ["sweep.json", "claims.json"],
} as const;

/**
 * Another text whenever the tables of a place may be others: the times and sizes of all files that they are made of.
 * @param runs of a sweep: its runs that are open
 */
export function tablesStamp(place: OpenPlace, runs: readonly OpenPlace[]): string {
  return [place, ...runs].flatMap((one) => {
    const { kind, path, id, line } = one.found;
    const own = FILES[kind].map((name) => join(path, name));
    const folders = kind === "sweep" ? namesIn(path).filter((name) => name.startsWith("untrained")) : ["."];
    const evaluations = folders.sort().flatMap((name) => filesTwoBelow(join(path, name, "evaluations")));
    return [
      `${kind} ${id} ${line} ${path}`,
      one.stamp(),
      ...[...own, ...evaluations].map((path) => `${path} ${stampOf(path)}`),
    ];
  }).join("\n");
}

const filesTwoBelow = (folder: string): string[] => below(folder).flatMap(below);

const below = (folder: string): string[] => namesIn(folder).sort().map((name) => join(folder, name));
