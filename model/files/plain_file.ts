/**
 * Files that may be read or written without a surprise: regular ones. A FIFO or a device never ends, and what a link
 * leads to is another's to choose.
 *
 * @module
 */

/**
 * Opens a file to be read, if it is a regular one.
 *
 * @throws Error that says what it is instead, or what the system says
 */
export function openPlain(path: string | URL): Deno.FsFile {
  // Opening a FIFO would wait for its writer.
  refuseOther(within(() => Deno.statSync(path)));
  const file = within(() => Deno.openSync(path));
  try {
    refuseOther(within(() => file.statSync()));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** How every pointer of Git LFS begins, and the most bytes that one has. */
const LFS = "version https://git-lfs.github.com/spec/v1\n";
const MOST_LFS = 1024;

/**
 * Refuses what a clone without Git LFS leaves in a file's place.
 *
 * @throws Error that says how to get the file itself
 */
export function refuseLfsPointer(file: Deno.FsFile): void {
  const { size } = file.statSync();
  if (size < LFS.length || size > MOST_LFS) return;
  const bytes = new Uint8Array(size);
  file.seekSync(0, Deno.SeekMode.Start);
  const count = file.readSync(bytes) ?? 0;
  file.seekSync(0, Deno.SeekMode.Start);
  const text = new TextDecoder().decode(bytes.subarray(0, count));
  if (!text.startsWith(LFS)) return;
  const of = /^size (\d+)$/m.exec(text)?.[1];
  throw new Error(
    `it is a pointer of Git LFS, not the file itself${of === undefined ? "" : ` of ${of} bytes`}: ` +
      "run `git lfs pull` in its folder (git lfs install first), or fetch the repository with `softcot model pull`",
  );
}

/**
 * The bytes of a regular file.
 *
 * @param most bytes that it may have
 * @throws Error that says what it is instead, that it is larger, or what the system says
 */
export function readPlain(path: string | URL, most: number): Uint8Array<ArrayBuffer> {
  using file = openPlain(path);
  refuseLfsPointer(file);
  const { size } = file.statSync();
  if (size > most) throw new Error(`it has ${size} bytes, at most ${most} are possible`);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let count = 1; at < size && count > 0;) at += count = file.readSync(bytes.subarray(at)) ?? 0;
  return bytes.subarray(0, at);
}

/** Bytes of a text that nothing asks to be longer: settings, states and indexes have far fewer. */
const MOST_TEXT = 64 * 2 ** 20;

/** As {@link readPlain}, the text in UTF-8. */
export function readPlainText(path: string | URL, most = MOST_TEXT): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(readPlain(path, most));
}

/** Says in words where a link led beyond what this command may read. */
function within<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new Deno.errors.NotCapable(
      "it lies beyond what this command may read, one that its command line names is needed",
    );
  }
}

function refuseOther(info: Deno.FileInfo): void {
  if (info.isFile) return;
  if (info.isDirectory) throw new Deno.errors.IsADirectory("it is a folder, a file is needed");
  throw new Error("it is no regular file, one is needed");
}
