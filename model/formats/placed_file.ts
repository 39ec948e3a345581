import { UserError } from "../../gpu/errors.ts";
import { encodeElements, type WrittenType } from "./encode_elements.ts";
import { createBeside } from "../files/own_file.ts";

/** A file of tensors in the making: it appears under its name only when finished. */
export interface TensorWriter {
  /**
   * Writes the next elements of a tensor; tensors may come in any order, each from its start to its end.
   *
   * @throws UserError if the disk refuses, or a number is too large for its type
   */
  write(name: string, values: Float32Array<ArrayBuffer>): void;
  /** Puts the file in place, safely on disk. Throws if elements are missing. */
  finish(): void;
  /** Removes what was written; does nothing once finished. */
  abort(): void;
}

/** Where a tensor goes, in bytes after the header. */
export interface Place {
  dtype: WrittenType;
  at: number;
  end: number;
}

/**
 * Starts a file that is a header and then tensors at known places. It is written beside its place, then
 * flushed and renamed, so that a file under the final name is always whole.
 *
 * @throws UserError if the folder cannot be written to
 */
export function createPlacedFile(
  path: string,
  header: Uint8Array,
  planned: ReadonlyMap<string, Place>,
): TensorWriter {
  const places = new Map(
    Array.from(planned, ([name, { dtype, at, end }]) => {
      return [name, { dtype, at: at + header.length, end: end + header.length }];
    }),
  );
  const guarded = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`Cannot write ${path}: ${(error as Error).message}`);
    }
  };
  const { file, beside } = guarded(() => createBeside(path));
  let isOpen = true;
  const close = () => {
    if (isOpen) file.close();
    isOpen = false;
  };
  const abort = () => {
    if (!isOpen) return;
    close();
    Deno.removeSync(beside);
  };
  const writeAt = (position: number, bytes: Uint8Array) => {
    file.seekSync(position, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  };
  const finish = () => {
    for (const [name, { at, end }] of places) {
      if (at < end) throw new Error(`Cannot finish ${path}: ${end - at} bytes of ${name} are missing`);
    }
    guarded(() => {
      file.syncSync();
      Deno.renameSync(beside, path);
      close();
      syncFolder(path.replace(/[^/]*$/, "") || ".");
    });
  };
  const write = (name: string, values: Float32Array<ArrayBuffer>) => {
    const place = places.get(name);
    if (!place) throw new Error(`Cannot write ${name} to ${path}: it was not announced`);
    const bytes = guarded(() => encodeElements(values, place.dtype, name));
    if (place.at + bytes.length > place.end) {
      throw new Error(`Cannot write ${name} to ${path}: too many elements`);
    }
    guarded(() => writeAt(place.at, bytes));
    place.at += bytes.length;
  };
  try {
    guarded(() => writeAt(0, header));
  } catch (error) {
    abort();
    throw error;
  }
  return { write, finish, abort };
}

/** Makes a rename within a folder last through a power cut; where the system has no such call, does nothing. */
export function syncFolder(folder: string): void {
  let handle: Deno.FsFile | undefined;
  try {
    handle = Deno.openSync(folder);
    handle.syncSync();
  } catch {
    // Windows can neither open nor flush a folder, and needs neither.
  } finally {
    handle?.close();
  }
}
