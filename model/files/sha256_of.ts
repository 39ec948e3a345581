import { createHash } from "node:crypto";
import { UserError } from "../../gpu/errors.ts";
import { openPlain } from "./plain_file.ts";

// 16 MiB: fast, and small beside any model.
const PIECE = 16 * 1024 * 1024;

/** SHA-256 of bytes and of files' bytes, one after the other, in hexadecimal; files are read in pieces. */
export function sha256Of(sources: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(PIECE);
  for (const source of sources) {
    if (typeof source !== "string") {
      hash.update(source);
      continue;
    }
    using file = open(source);
    for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
      hash.update(buffer.subarray(0, count));
    }
  }
  return hash.digest("hex");
}

function open(path: string): Deno.FsFile {
  try {
    return openPlain(path);
  } catch (error) {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`);
  }
}

/** SHA-256 of a text in UTF-8, in hexadecimal. */
export function sha256OfText(text: string): string {
  return sha256Of([new TextEncoder().encode(text)]);
}
