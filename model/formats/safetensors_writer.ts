import { createPlacedFile, type Place, type TensorWriter } from "./placed_file.ts";
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

/**
 * Starts a safetensors file. It is written beside its place, then flushed and renamed, so that a
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
): TensorWriter {
  const { header, places } = layOut(specs, metadata);
  return createPlacedFile(path, header, places);
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
  return { header, places };
}
