import { dirname } from "node:path";
import { namedFolders } from "../../eval/data/data_source.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";

/** Folders named after tasks: in those of the data, and in the two above. */
export function besideData(data: readonly string[]): string[] {
  return data.flatMap((path) => [path, dirname(path), dirname(dirname(path))]).flatMap((path) =>
    TASKS.flatMap(({ name, source }) => source ? namedFolders(name, source, path) : [])
  );
}
