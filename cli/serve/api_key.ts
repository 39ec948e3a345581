import { hash, timingSafeEqual } from "node:crypto";
import { UserError } from "../../gpu/errors.ts";

/** Whether a request's key is the server's, in a time that tells nothing of either. */
export type KeyCheck = (authorization: string | null) => boolean;

/**
 * The check of a key.
 *
 * @param given the key itself, or the path of a file that holds it; undefined: everybody may ask
 * @throws UserError if the file cannot be read, or holds none, or if there is none where a path is given
 */
export function createKeyCheck(given: string | undefined): KeyCheck {
  if (given === undefined) return () => true;
  const wanted = digest(keyOf(given));
  return (authorization) => {
    const [, key = ""] = /^bearer +(.+)$/i.exec(authorization ?? "") ?? [];
    return timingSafeEqual(digest(key), wanted);
  };
}

/** Of equal length, whatever the keys': a comparison of them takes one time. */
const digest = (key: string): Uint8Array => new Uint8Array(hash("sha256", key, "buffer"));

function keyOf(given: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(given).trim();
  } catch (error) {
    if (isNoFile(error) && !isPath(given)) return given;
    if (isNoFile(error)) {
      // Its name is not told: it may be a key all the same.
      throw new UserError(
        "Cannot read a key from the file that --api-key names: there is none",
        "what has a / in it, begins with . or ~, or ends in .txt or .key is taken for a path: such a key goes into a file",
      );
    }
    throw new UserError(`Cannot read a key from ${given}: ${(error as Error).message}`);
  }
  if (text !== "" && !text.includes("\n")) return text;
  throw new UserError(`Cannot read a key from ${given}: one line that is not empty is needed`);
}

/** Whether a path is meant. A misspelt one is not to become the key. */
const isPath = (given: string): boolean => /[/\\]|^[.~]|\.(txt|key)$/i.test(given);

/** What is too long for a name, or has a file where a folder would be, names no file either. */
const isNoFile = (error: unknown): boolean =>
  error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
  (error as { code?: string }).code === "ENAMETOOLONG";
