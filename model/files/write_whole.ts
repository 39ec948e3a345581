import { createBeside } from "./own_file.ts";

/** Writes a file that is whole or absent: beside, flushed, renamed. */
export function writeWhole(path: string, text: string): void {
  const { file, beside } = createBeside(path);
  using _ = file;
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncSync();
    Deno.renameSync(beside, path);
  } catch (error) {
    Deno.removeSync(beside);
    throw error;
  }
}

/** Writes data as JSON for people to read, by {@link writeWhole}. */
export function writeJson(path: string, data: unknown): void {
  writeWhole(path, JSON.stringify(data, null, 2) + "\n");
}
