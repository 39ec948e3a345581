import { dirname } from "node:path";
import { cachePlaces } from "./cache_places.ts";

/** A folder that this user alone can write to, made if need be: the first of the cache's places that is one; undefined if none is. */
export function ownPlace(): string | undefined {
  return cachePlaces().find((place) => {
    try {
      Deno.mkdirSync(place, { recursive: true, mode: 0o700 });
      const folder = Deno.lstatSync(place);
      return folder.isDirectory && folder.uid === Deno.uid() && isSafe(folder) &&
        isSafe(Deno.statSync(dirname(place)));
    } catch {
      return false; // not to be made, or not to be looked at
    }
  });
}

/** Whether only its owner, who is this user or root, can take away or exchange what lies in a folder; in a sticky one only each thing's own. */
function isSafe({ uid, mode }: Deno.FileInfo): boolean {
  const bits = mode ?? 0o777;
  return (uid === Deno.uid() || uid === 0) && ((bits & 0o022) === 0 || (bits & 0o1000) !== 0);
}
