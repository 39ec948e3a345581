import { bytesOfWritten, type WrittenType } from "./encode_elements.ts";
import { createPlacedFile, type Place, type TensorWriter } from "./placed_file.ts";

/** A value of the metadata with the type that it is stored as. */
export type TypedValue =
  | { type: "u32" | "i32" | "f32"; value: number }
  | { type: "bool"; value: boolean }
  | { type: "string"; value: string }
  | { type: "strings"; value: readonly string[] }
  | { type: "i32s" | "f32s"; value: readonly number[] };

/** A tensor to be written. */
interface GgufSpec {
  /** GGUF's name. */
  name: string;
  dtype: WrittenType;
  /** Row-major. */
  shape: readonly number[];
}

const ALIGNMENT = 32;
const GGML_TYPE: Readonly<Record<WrittenType, number>> = { F32: 0, F16: 1, Q8_0: 8, BF16: 30 };
const VALUE_TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, strings: 8, i32s: 5, f32s: 6 };
const ARRAY = 9;

/**
 * Starts a GGUF file (version 3, little-endian), which appears under its name when it is finished.
 *
 * @param path where it is to appear
 * @param metadata all keys in order
 * @param specs all tensors; their bytes lie in this order
 * @throws UserError if the folder cannot be written to
 */
export function createGguf(
  path: string,
  metadata: ReadonlyMap<string, TypedValue>,
  specs: readonly GgufSpec[],
): TensorWriter {
  const bytes = byteSink();
  bytes.raw(new TextEncoder().encode("GGUF"));
  bytes.u32(3);
  bytes.u64(specs.length);
  bytes.u64(metadata.size);
  for (const [key, value] of metadata) {
    bytes.text(key);
    writeValue(bytes, value);
  }
  const places = new Map<string, Place>();
  let offset = 0;
  for (const { name, dtype, shape } of specs) {
    if (places.has(name)) throw new Error(`Cannot write two tensors of the name ${name}`);
    bytes.text(name);
    bytes.u32(shape.length);
    for (const size of shape.toReversed()) bytes.u64(size);
    bytes.u32(GGML_TYPE[dtype]);
    bytes.u64(offset);
    const end = offset + bytesOfWritten(dtype, shape.reduce((product, n) => product * n, 1));
    places.set(name, { dtype, at: offset, end });
    offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
  }
  return createPlacedFile(path, bytes.aligned(ALIGNMENT), places);
}

function writeValue(bytes: ByteSink, { type, value }: TypedValue): void {
  if (Array.isArray(value)) {
    bytes.u32(ARRAY);
    bytes.u32(VALUE_TYPE[type]);
    bytes.u64(value.length);
    for (const item of value) type === "strings" ? bytes.text(item) : bytes.number(type, item);
    return;
  }
  bytes.u32(VALUE_TYPE[type]);
  if (typeof value === "string") bytes.text(value);
  else if (typeof value === "boolean") bytes.raw(Uint8Array.of(value ? 1 : 0));
  else bytes.number(type, value as number);
}

type ByteSink = ReturnType<typeof byteSink>;

/** Bytes that grow. */
function byteSink() {
  let buffer = new Uint8Array(2 ** 16);
  let view = new DataView(buffer.buffer);
  let length = 0;
  const encoder = new TextEncoder();
  const room = (count: number) => {
    const at = length;
    length += count;
    if (length > buffer.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(buffer);
      [buffer, view] = [larger, new DataView(larger.buffer)];
    }
    return at;
  };
  const raw = (bytes: Uint8Array) => {
    const at = room(bytes.length);
    buffer.set(bytes, at);
  };
  const u64 = (value: number) => {
    const at = room(8);
    view.setBigUint64(at, BigInt(value), true);
  };
  const number = (type: TypedValue["type"], value: number) => {
    const at = room(4);
    if (type === "f32" || type === "f32s") view.setFloat32(at, value, true);
    else view.setInt32(at, value, true);
  };
  return {
    raw,
    u64,
    number,
    u32: (value: number) => number("u32", value),
    text: (text: string) => {
      const encoded = encoder.encode(text);
      u64(encoded.length);
      raw(encoded);
    },
    /** All bytes, filled up with zeros. */
    aligned: (alignment: number) => {
      room(Math.ceil(length / alignment) * alignment - length);
      return buffer.subarray(0, length);
    },
  };
}
