import { UserError } from "../../gpu/errors.ts";
import { DTYPE_BYTES } from "./safetensors_header.ts";

/** A tensor to be written. */
export interface TensorSpec {
  /** Its key in the file. */
  name: string;
  /** How it is stored. */
  dtype: "F32" | "F16" | "BF16";
  /** Row-major; empty for a single number. */
  shape: readonly number[];
}

/** A safetensors file in the making: it appears under its name only when finished. */
export interface SafetensorsWriter {
  /**
   * Writes the next elements of a tensor; tensors may come in any order, each from its start to its end.
   *
   * @throws UserError if the disk refuses, or a number is too large for F16
   */
  write(name: string, values: Float32Array<ArrayBuffer>): void;
  /** Puts the file in place, safely on disk. Throws if elements are missing. */
  finish(): void;
  /** Removes what was written; does nothing once finished. */
  abort(): void;
}

/**
 * Starts a safetensors file. It is written beside its place as `PATH.tmp`, then flushed and renamed, so that a
 * file under the final name is always whole.
 *
 * @param path where it is to appear
 * @param specs all tensors
 * @param metadata text by text; `format: "pt"` is what Python's readers look for
 * @throws UserError if the folder cannot be written to
 */
export function createSafetensors(
  path: string,
  specs: readonly TensorSpec[],
  metadata: Record<string, string> = { format: "pt" },
): SafetensorsWriter {
  const { header, places } = layOut(specs, metadata);
  const temporary = `${path}.tmp`;
  const guarded = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`Cannot write ${path}: ${(error as Error).message}`);
    }
  };
  const file = guarded(() => Deno.openSync(temporary, { write: true, create: true, truncate: true }));
  let isOpen = true;
  const close = () => {
    if (isOpen) file.close();
    isOpen = false;
  };
  const abort = () => {
    if (!isOpen) return;
    close();
    Deno.removeSync(temporary);
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
      close();
      Deno.renameSync(temporary, path);
      syncFolder(path.replace(/[^/]*$/, "") || ".");
    });
  };
  const write = (name: string, values: Float32Array<ArrayBuffer>) => {
    const place = places.get(name);
    if (!place) throw new Error(`Cannot write ${name} to ${path}: it was not announced`);
    const bytes = guarded(() => encode(values, place.dtype, name));
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

interface Place {
  dtype: TensorSpec["dtype"];
  /** Where the next element goes. */
  at: number;
  end: number;
}

function layOut(specs: readonly TensorSpec[], metadata: Record<string, string>) {
  // Wide types first, so that every tensor is aligned to its own width.
  const order = specs.toSorted((a, b) =>
    DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype] || (a.name < b.name ? -1 : 1)
  );
  const entries: [string, unknown][] = [["__metadata__", metadata]];
  const places = new Map<string, Place>();
  let offset = 0;
  for (const { name, dtype, shape } of order) {
    if (places.has(name)) throw new Error(`Cannot write two tensors of the name ${name}`);
    const end = offset + DTYPE_BYTES[dtype] * shape.reduce((product, n) => product * n, 1);
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    places.set(name, { dtype, at: offset, end });
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  for (const place of places.values()) {
    place.at += header.length;
    place.end += header.length;
  }
  return { header, places };
}

function encode(values: Float32Array<ArrayBuffer>, dtype: TensorSpec["dtype"], name: string): Uint8Array {
  const asBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  if (dtype === "F32") return asBytes(values);
  if (dtype === "BF16") return asBytes(narrowBf16(values));
  const halves = new Float16Array(values);
  const tooLarge = halves.findIndex((half, i) => Math.abs(half) === Infinity && Number.isFinite(values[i]));
  if (tooLarge >= 0) {
    throw new UserError(
      `Cannot write ${name} as F16: it holds ${values[tooLarge]}, F16 ends at 65,504`,
      "write it as BF16 or F32",
    );
  }
  return asBytes(halves);
}

/** Rounds to the nearest, ties to even; a NaN stays one. */
function narrowBf16(values: Float32Array<ArrayBuffer>): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const word = bits[i];
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    out[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}
