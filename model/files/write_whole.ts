/** Writes a file that is whole or absent: beside, flushed, renamed. */
export function writeWhole(path: string, text: string): void {
  const beside = `${path}.tmp`;
  using file = Deno.openSync(beside, { write: true, create: true, truncate: true });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  file.syncSync();
  Deno.renameSync(beside, path);
}

/** Writes data as JSON for people to read, by {@link writeWhole}. */
export function writeJson(path: string, data: unknown): void {
  writeWhole(path, JSON.stringify(data, null, 2) + "\n");
}
