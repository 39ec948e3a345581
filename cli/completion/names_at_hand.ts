import { TASKS } from "../../eval/tasks/tasks.ts";
import { BUILTIN } from "../../model/builtin/builtin_model.ts";
import { isFolder, namesIn } from "../../model/files/on_disk.ts";
import { cachedRepos } from "../../model/hub/hub_cache.ts";

/** What shells complete by names that lie nowhere in this program's words: what `--model`, `--task` and folders of runs may be. */
export const NAMES_AT_HAND: Readonly<Record<string, () => string[]>> = {
  task: () => TASKS.map(({ name }) => name),
  /** The embedded one, those that were pulled, and runs with a checkpoint. */
  model: () =>
    [BUILTIN, ...pulled(), ...foldersIn("runs").filter((run) => isFolder(`${run}/checkpoints`))].filter(
      isPlain,
    ),
  /** Runs and sweeps where they lie without --out. */
  run: () => ["runs", "sweeps"].flatMap(foldersIn).filter(isPlain),
};

/** Scripts of completions may expand what they are given: names that say something to a shell or a terminal are for people to write. */
const isPlain = (name: string): boolean => /^[\p{L}\p{N} _./@+,=-]+$/u.test(name);

/** Models of the hub's cache by the names that --model takes: of a revision other than main the snapshot's folder. */
function pulled(): string[] {
  return cachedRepos("model").flatMap(({ id, snapshots }) =>
    snapshots.map(({ revisions, folder }) => revisions.includes("main") ? id : folder)
  );
}

const foldersIn = (place: string): string[] =>
  namesIn(place).sort().map((name) => `${place}/${name}`).filter(isFolder);
