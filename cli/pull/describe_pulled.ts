import { isOffline } from "../../model/hub/hub.ts";
import type { PulledRepo } from "../../model/hub/pull_repo.ts";
import { inBytes } from "../terminal/in_bytes.ts";

/** What a pull left in the cache, in a line. */
export function describePulled(id: string, { commit, files, bytes, fetchedBytes }: PulledRepo): string {
  const how = isOffline() ? "offline, from the cache" : `${inBytes(fetchedBytes)} of them fetched now`;
  return `${id} at ${commit.slice(0, 12)}: ${files.length} files, ${inBytes(bytes)}, ${how}`;
}
