import type { Task } from "../../eval/task.ts";
import { UserError } from "../../gpu/errors.ts";
import { writeJson } from "../../model/files/write_whole.ts";
import { readPlainText } from "../../model/files/plain_file.ts";

/** What a run keeps of its validation questions: they are never trained on. */
interface HeldOut {
  task: string;
  version: number;
  /** Where the questions were read from. */
  origin: string;
  /** Ids of the questions, in the order they are asked in. */
  ids: readonly string[];
}

/**
 * Keeps with a run which training questions are held out for validation; of a run that goes on, sees to it that they
 * are still the same.
 * @throws UserError if the data have changed since the run began
 */
export function keepHeldOut(folder: string, { name, version, heldOut, data }: Task): void {
  if (!heldOut) return;
  const path = `${folder}/validation.json`;
  const kept = read(path);
  if (kept === undefined) {
    const now: HeldOut = { task: name, version, origin: data?.origin ?? "", ids: heldOut };
    writeJson(path, now);
  } else if (JSON.stringify(kept.ids) !== JSON.stringify(heldOut)) {
    const lost = kept.ids.filter((id) => !heldOut.includes(id)).length;
    throw new UserError(
      `Cannot resume ${folder}: ${lost} of the ${kept.ids.length} questions it holds out for validation are no longer ` +
        `held out, its data have changed`,
      `give it the data it began with, from ${kept.origin}`,
    );
  }
}

function read(path: string): HeldOut | undefined {
  const damaged = (what: string) =>
    new UserError(
      `Cannot read ${path}: ${what}, the ids of the questions that the run holds out are needed`,
      "put it back: without it questions of the validation would be trained on",
    );
  let kept: HeldOut | null;
  try {
    kept = JSON.parse(readPlainText(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw damaged((error as Error).message);
  }
  if (!Array.isArray(kept?.ids)) throw damaged("it holds no ids");
  return kept;
}
