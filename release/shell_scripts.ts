import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { git } from "../cli/facts/git.ts";
import { UserError } from "../gpu/errors.ts";
import { isOwnFile } from "../model/files/on_disk.ts";

/**
 * All shell scripts of the checkout, by their first line, also those that are yet to be committed: paths from its root.
 * @throws UserError where git does not tell which files are the project's
 */
export function shellScripts(): string[] {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const files = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard");
  if (files === undefined) {
    throw new UserError("Cannot find the shell scripts: git lists no files here, a checkout is needed");
  }
  return files.split("\0").filter((name) => isOwnFile(join(root, name)) && isShell(join(root, name)));
}

function isShell(path: string): boolean {
  using file = Deno.openSync(path);
  const start = new Uint8Array(64);
  file.readSync(start);
  return /^#!.*\b(ba|da|k)?sh\b/.test(new TextDecoder().decode(start));
}
