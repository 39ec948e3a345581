import { UserError } from "../gpu/errors.ts";

/** A version as CHANGELOG.md tells it. */
export interface ChangelogSection {
  version: string;
  /** What stands in brackets behind the version: the day of the release, or `unreleased`. */
  day: string;
  /** What users notice, as Markdown. */
  notes: string;
}

/** The newest section of a changelog. */
function newestSection(changelog: string): ChangelogSection | undefined {
  const [, first] = changelog.split(/^## /m);
  const head = /^(\S+) \(([^)]+)\)\n/.exec(first ?? "");
  return head ? { version: head[1], day: head[2], notes: first.slice(head[0].length).trim() } : undefined;
}

/**
 * The notes of the version that is to be released.
 * @param version that of deno.json
 * @throws UserError where the changelog does not begin with that version, does not date it, or says nothing of it
 */
export function releaseNotes(changelog: string, version: string): string {
  const refuse = (found: string, hint: string) => new UserError(`Cannot release ${version}: ${found}`, hint);
  const newest = newestSection(changelog);
  if (newest?.version !== version) {
    throw refuse(
      `CHANGELOG.md begins with ${newest?.version ?? "no version"}`,
      "its newest section and the version in deno.json are to be the same",
    );
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(newest.day)) {
    const today = new Date().toISOString().slice(0, 10);
    throw refuse(
      `CHANGELOG.md calls it ${newest.day}, a day is needed`,
      `write "## ${version} (${today})", commit that, and do this again`,
    );
  }
  if (newest.notes === "") throw refuse("CHANGELOG.md says nothing of it", "write what users notice");
  return newest.notes;
}
