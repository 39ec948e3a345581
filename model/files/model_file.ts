import { UserError } from "../../gpu/errors.ts";

/**
 * The path of a file of a model. A link has to stay within the folder, or lead to the blobs of the hub's cache that the
 * folder is a snapshot of: where else it led would be for whoever made the folder to choose, and what lies there would go
 * into exports and checkpoints.
 *
 * @param folder of the model
 * @param name of the file in it
 * @throws UserError if it leads elsewhere; a file that is not there is no error here
 */
export function modelFile(folder: string, name: string): string {
  const path = `${folder}/${name}`;
  let real: string;
  let place: string;
  try {
    [real, place] = [Deno.realPathSync(path), Deno.realPathSync(folder)];
  } catch {
    return path;
  }
  const repo = /^(.*)\/snapshots\/[0-9a-f]{40}(?=\/|$)/.exec(place)?.[1];
  const within = [`${place.replace(/\/$/, "")}/`, ...(repo === undefined ? [] : [`${repo}/blobs/`])];
  if (within.some((start) => real.startsWith(start))) return path;
  throw new UserError(
    `Cannot open ${path}: it is a link that leads out of the model's folder, a file within it is needed`,
    "if it is meant so, put the file itself there",
  );
}
