import { UserError } from "../../gpu/errors.ts";
import type { Source } from "./config_file.ts";

/**
 * What a settings file lacks would be taken from the defaults of today.
 * @throws UserError if it is not whole: whatever was set, it says in its last lines where the run is
 */
export function refuseCut(folder: string, { name, values }: Source): void {
  if (values.out !== undefined) return;
  throw new UserError(
    `Cannot resume ${folder}: ${name} is cut, it lacks out, a whole one is needed`,
    "put a whole copy in its place: what it lacks would be set to other values than before",
  );
}
