import { UserError } from "../../gpu/errors.ts";
import { isFolder } from "./on_disk.ts";

/**
 * Names in a folder that is there, in no order.
 * @throws UserError if it may not be looked into
 */
export function lookInto(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name);
  } catch (error) {
    throw new UserError(`Cannot look into ${folder}: ${(error as Error).message}`);
  }
}

/** Folders of a run's checkpoints, the newest first; none where the folder is no run's. */
export function checkpointsOf(folder: string): string[] {
  if (!isFolder(`${folder}/checkpoints`)) return [];
  return lookInto(`${folder}/checkpoints`).filter((entry) => /^step-\d+$/.test(entry))
    .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))
    .map((entry) => `${folder}/checkpoints/${entry}`);
}
