import { UserError } from "../../gpu/errors.ts";
import { openPlain, refuseLfsPointer } from "../files/plain_file.ts";

/** Bytes that can be read at any place. */
export interface RandomAccess {
  /** What messages call it. */
  label: string;
  /** In bytes. */
  size: number;
  /**
   * Fills `out` from `position` on.
   *
   * @throws UserError if the bytes end too early or cannot be read
   */
  read(position: number, out: Uint8Array): void;
  /** Gives the file back; may be called again. */
  close(): void;
}

/**
 * A file on disk.
 *
 * @throws UserError if there is no such file or it cannot be read
 */
export function openFile(path: string | URL, label = `${path}`): RandomAccess {
  const refuse = (error: unknown) => new UserError(`Cannot read ${label}: ${(error as Error).message}`);
  let file: Deno.FsFile;
  let size: number;
  try {
    file = openPlain(path);
    try {
      refuseLfsPointer(file);
      size = file.statSync().size;
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    throw refuse(error);
  }
  const read = (position: number, out: Uint8Array) => {
    try {
      file.seekSync(position, Deno.SeekMode.Start);
      for (let done = 0; done < out.length;) {
        const count = file.readSync(out.subarray(done));
        if (count === null) throw new Error(`it ends at byte ${position + done}, more were expected`);
        done += count;
      }
    } catch (error) {
      throw refuse(error);
    }
  };
  let isOpen = true;
  const close = () => {
    if (isOpen) file.close();
    isOpen = false;
  };
  return { label, size, read, close };
}

/** Bytes in memory. */
export function openBytes(bytes: Uint8Array, label: string): RandomAccess {
  const read = (position: number, out: Uint8Array) => {
    if (position + out.length > bytes.length) {
      throw new UserError(`Cannot read ${label}: it ends at byte ${bytes.length}, more were expected`);
    }
    out.set(bytes.subarray(position, position + out.length));
  };
  return { label, size: bytes.length, read, close: () => {} };
}
