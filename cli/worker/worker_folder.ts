import { ownPlace } from "../cache/own_place.ts";

let found: string | null | undefined;

/**
 * Where workers keep what they fetch, in the first of the cache's places that is this user's alone; undefined where none is. Found once: the
 * rights to look for it may be given up afterwards.
 */
export function workerFolder(): string | undefined {
  if (found === undefined) {
    const place = ownPlace();
    found = place === undefined ? null : `${place}/worker`;
  }
  return found ?? undefined;
}
