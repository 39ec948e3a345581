/**
 * f32 into the element types that are written: the way back from element_types.ts.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";

/** How elements can be written. */
export type WrittenType = "F32" | "F16" | "BF16" | "Q8_0";

/** Elements that one block of Q8_0 holds. */
export const Q8_0_BLOCK = 32;

/** Bytes that `elements` elements, whole blocks, take. */
export function bytesOfWritten(dtype: WrittenType, elements: number): number {
  return dtype === "Q8_0" ? elements / Q8_0_BLOCK * 34 : elements * (dtype === "F32" ? 4 : 2);
}

/**
 * Elements as they are stored; of Q8_0, whole blocks.
 *
 * @param name of the tensor, for the message
 * @throws UserError if a number is too large for F16
 */
export function encodeElements(
  values: Float32Array<ArrayBuffer>,
  dtype: WrittenType,
  name: string,
): Uint8Array<ArrayBuffer> {
  if (dtype === "F32") return asBytes(values);
  if (dtype === "BF16") return asBytes(narrowBf16(values));
  if (dtype === "Q8_0") return quantizeQ8_0(values, name);
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

const asBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Rounds to the nearest, ties to even; a NaN stays one. */
function narrowBf16(values: Float32Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const word = bits[i];
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    out[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}

/**
 * ggml's Q8_0: of 32 elements the scale, their largest amount / 127, as f16, and the multiples of it as signed bytes,
 * rounded half away from zero; in f32, as the reference computes it.
 */
function quantizeQ8_0(values: Float32Array, name: string): Uint8Array<ArrayBuffer> {
  const blocks = values.length / Q8_0_BLOCK;
  const out = new Uint8Array(34 * blocks);
  const halves = new DataView(out.buffer);
  for (let b = 0; b < blocks; b++) {
    const from = b * Q8_0_BLOCK;
    let largest = 0;
    for (let i = from; i < from + Q8_0_BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]));
    if (!(largest / 127 <= 65_504)) {
      throw new UserError(
        `Cannot write ${name} as Q8_0: it holds ${largest}, finite numbers below 8 million are needed`,
        "write it as F32",
      );
    }
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    halves.setFloat16(34 * b, scale, true);
    for (let i = 0; i < Q8_0_BLOCK; i++) {
      const multiple = Math.fround(values[from + i] * inverse);
      out[34 * b + 2 + i] = Math.sign(multiple) * Math.floor(Math.abs(multiple) + 0.5);
    }
  }
  return out;
}
