/**
 * GGUF files (versions 2 and 3, little-endian): metadata, and where the tensors lie. The header is checked in full
 * before anything is allocated for a tensor.
 *
 * @module
 */
import { openBytes, openFile, type RandomAccess } from "./random_access.ts";
import { type GgufValue, readGgufHeader } from "./gguf_header.ts";
import type { TensorEntry } from "./tensor_file.ts";

/** An open GGUF file. */
export interface GgufFile {
  /** What messages call it. */
  label: string;
  /** 2 or 3. */
  version: number;
  /** By key, in file order: `general.architecture`, `tokenizer.ggml.tokens`, ... */
  metadata: ReadonlyMap<string, GgufValue>;
  /** By GGUF name, in the order of their bytes; shapes row-major, the longest stride first, as everywhere here. */
  tensors: ReadonlyMap<string, TensorEntry>;
  /** Its bytes. */
  bytes: RandomAccess;
  /** Gives the file back. */
  close(): void;
}

/**
 * Opens a GGUF file.
 *
 * @param source a path, or the file's bytes
 * @param label what messages call it; defaults to the path
 * @throws UserError if it cannot be opened, its header is damaged in any way, or a tensor is of an unsupported type
 */
export function openGguf(
  source: string | URL | Uint8Array<ArrayBuffer>,
  label = source instanceof Uint8Array ? "GGUF file" : `${source}`,
): GgufFile {
  const bytes = source instanceof Uint8Array ? openBytes(source, label) : openFile(source, label);
  try {
    return { label, ...readGgufHeader(bytes), bytes, close: () => bytes.close() };
  } catch (error) {
    bytes.close();
    throw error;
  }
}
