import { UserError } from "../../gpu/errors.ts";

/**
 * Names in a folder that is there, in no order.
 * @throws UserError if it may not be looked into
 */
export function lookInto(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name);
  } catch (error) {
    throw new UserError(`Cannot look into ${folder}: ${(error as Error).message}`);
  }
}
