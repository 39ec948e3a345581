import { UserError } from "../../gpu/errors.ts";

/**
 * A new folder for a run that nobody names one for: the name itself, or with the first number that is free. It is there when this returns, so that
 * of several runs that start at once each has its own.
 *
 * @param name `runs/TASK-THINKING`
 * @throws UserError if no folder can be made there
 */
export function claimRunFolder(name: string): string {
  try {
    Deno.mkdirSync(name.replace(/\/[^/]*$/, ""), { recursive: true });
    for (let n = 1;; n++) {
      const folder = n === 1 ? name : `${name}-${n}`;
      if (isMade(folder)) return folder;
    }
  } catch (error) {
    throw new UserError(
      `Cannot write to ${name}: ${(error as Error).message}, a writable folder is needed`,
      "name another folder with --out",
    );
  }
}

function isMade(folder: string): boolean {
  try {
    Deno.mkdirSync(folder);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}
