import { UserError } from "../../gpu/errors.ts";

/** What a repository on the hub holds. */
export type RepoKind = "model" | "dataset";

const COMMIT = /^[0-9a-f]{40}$/;

/** Whether a revision is a commit's own hash. */
export const isCommit = (revision: string): boolean => COMMIT.test(revision);

/** Whether a name could be that of a repository: `org/name`, or `name` alone, as a few old ones have it. */
export function isRepoId(name: string): boolean {
  return /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(name) && !/--|\.\.|\.git$|\.$/.test(name) &&
    name.length <= 96;
}

/**
 * Whether a name from elsewhere may become a path within a folder: relative, without `..`, under the rules of every
 * system.
 */
export function isSafePath(path: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[\\\u0000-\u001f]/.test(path) &&
    path.split("/").every((part) => part !== "" && !/^\.{1,2}$|^[a-z]:/i.test(part));
}

/** @throws UserError if a repository's name is none */
export function checkRepoId(id: string): void {
  if (isRepoId(id)) return;
  throw new UserError(
    `Cannot use the name ${
      JSON.stringify(id.slice(0, 120))
    }: a repository of the hub is needed, such as org/name`,
    "its name stands at the top of its page on the hub",
  );
}
