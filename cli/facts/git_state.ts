import { fileURLToPath } from "node:url";
import { isThere } from "../../model/files/on_disk.ts";
import { git } from "./git.ts";
import { ownBuild } from "./own_build.ts";

/** Which state of softcot's own source runs. */
export interface GitState {
  /** The commit. */
  commit: string;
  /** Files of the commit are changed. */
  modified: boolean;
}

/**
 * The state of the checkout that this program runs from, or was built from, as it was when first asked; undefined where that is none, or
 * there is no git.
 */
export function gitState(): GitState | undefined {
  return (known ??= { state: stateNow() }).state;
}

let known: { state: GitState | undefined } | undefined;

function stateNow(): GitState | undefined {
  const build = ownBuild();
  if (build) {
    return build.commit === undefined ? undefined : { commit: build.commit, modified: !!build.modified };
  }
  if (!import.meta.url.startsWith("file:")) return undefined;
  const root = fileURLToPath(new URL("../../", import.meta.url));
  // A copy inside another repository has no .git of its own.
  if (!isThere(`${root}/.git`)) return undefined;
  const commit = git(root, "rev-parse", "HEAD");
  const changes = commit && git(root, "status", "--porcelain", "--untracked-files=no");
  return commit === undefined || !/^[\da-f]{40,64}$/.test(commit) || changes === undefined
    ? undefined
    : { commit, modified: changes !== "" };
}
