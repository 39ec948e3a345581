import { hash, timingSafeEqual } from "node:crypto";
import { UserError } from "../../gpu/errors.ts";

/** Whether a request's key is the server's, in a time that tells nothing of either. */
export type KeyCheck = (authorization: string | null) => boolean;

/**
 * The check of a key.
 *
 * @param given the key itself, or the path of a file that holds it; undefined: everybody may ask
 * @throws UserError if the file cannot be read, or holds none
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
    if (isNoFile(error)) return given;
    throw new UserError(`Cannot read a key from ${given}: ${(error as Error).message}`);
  }
  if (text !== "" && !text.includes("\n")) return text;
  throw new UserError(`Cannot read a key from ${given}: one line that is not empty is needed`);
}

/** What is too long for a name, or has a file where a folder would be, names no file either. */
const isNoFile = (error: unknown): boolean =>
  error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
  (error as { code?: string }).code === "ENAMETOOLONG";
