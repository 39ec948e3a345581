import { git } from "../cli/facts/git.ts";
import { UserError } from "../gpu/errors.ts";

/** @throws UserError where a repository has the tag of a version already: what was released under it stays what it is. */
export function refuseTag(repository: string, version: string): void {
  const tag = `v${version}`;
  if (!git(repository, "tag", "--list", tag)) return;
  throw new UserError(
    `Cannot release ${version}: the tag ${tag} is there already`,
    "begin the next version: its number in deno.json, and a section of CHANGELOG.md",
  );
}
