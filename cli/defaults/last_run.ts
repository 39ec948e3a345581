import { isFile, modifiedAt, namesIn } from "../../model/files/on_disk.ts";

/** Where runs lie that nobody named a folder for. */
const RUNS = "runs";

/** The run in runs/ that was worked at last; undefined where there is none. */
export function lastRun(): string | undefined {
  const worked = (folder: string) =>
    Math.max(
      ...["config.toml", "metrics.jsonl", "checkpoints"].map((name) => modifiedAt(`${folder}/${name}`)),
    );
  return namesIn(RUNS).sort().map((name) => `${RUNS}/${name}`)
    .filter((folder) => isFile(`${folder}/config.toml`))
    .toSorted((a, b) => worked(b) - worked(a))[0];
}
