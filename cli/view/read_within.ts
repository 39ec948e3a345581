import { parse } from "smol-toml";
import { parseJson } from "../../model/files/parse_json.ts";
import { openWithin } from "./index/open_within.ts";
import { readAt } from "./index/line_reader.ts";

/** Bytes of settings and reports at most. */
const MOST_TEXT = 64 * 2 ** 20;

/**
 * The text of a file that lies within a folder itself.
 *
 * @param root real path of the folder
 * @throws Error that says what is in the way
 */
export function readWithin(root: string, path: string, most = MOST_TEXT): string {
  using file = openWithin(root, path);
  const { size } = file.statSync();
  if (size > most) throw new Error(`it has ${size} bytes, at most ${most} are possible`);
  return new TextDecoder().decode(readAt(file, 0, size));
}

/** What a file of settings holds, by its form; undefined where there is none, or it is damaged. */
export function recordIn(root: string, path: string): Record<string, unknown> | undefined {
  try {
    const text = readWithin(root, path);
    const data = path.endsWith(".toml") ? parse(text) : parseJson(text);
    return typeof data === "object" && data !== null ? data as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/** When a file was written last, with its size, as one text; empty where there is none. */
export function stampOf(path: string): string {
  try {
    const { mtime, size, ino } = Deno.lstatSync(path);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch {
    return "";
  }
}

/** A value that is read again when its file has changed. */
export function fresh<T>(path: string, read: () => T): () => T {
  let [stamp, value]: [string | undefined, T | undefined] = [undefined, undefined];
  return () => {
    const now = stampOf(path);
    if (now !== stamp) [stamp, value] = [now, read()];
    return value as T;
  };
}
