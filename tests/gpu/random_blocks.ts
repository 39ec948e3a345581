import { BLOCK, BLOCK_BYTES, type QuantType } from "../../gpu/quantised.ts";
import { randomArray } from "../reference/support.ts";

/** Random blocks as a GGUF file has them, with scales of both signs and all sizes that f16 has. */
export function randomBlocks(
  type: QuantType,
  seed: number,
  rows: number,
  cols: number,
): Uint8Array<ArrayBuffer> {
  const blocks = rows * cols / BLOCK;
  const numbers = randomArray(seed, blocks * 2);
  const bytes = new Uint8Array(blocks * BLOCK_BYTES[type]);
  const view = new DataView(bytes.buffer);
  let state = seed * 2654435761 >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  for (let b = 0; b < blocks; b++) {
    const at = b * BLOCK_BYTES[type];
    // One block in eight has a scale below f16's normal numbers.
    view.setFloat16(at, numbers[2 * b] * (b % 8 === 3 ? 2e-6 : 0.05), true);
    if (type === "q4_1") view.setFloat16(at + 2, numbers[2 * b + 1] * 0.3, true);
  }
  return bytes;
}

/** What the blocks stand for, by the format's definition: https://github.com/ggml-org/ggml, docs/gguf.md. */
export function dequantised(type: QuantType, bytes: Uint8Array<ArrayBuffer>): Float64Array {
  const view = new DataView(bytes.buffer);
  const blocks = bytes.length / BLOCK_BYTES[type];
  const out = new Float64Array(blocks * BLOCK);
  for (let b = 0; b < blocks; b++) {
    const at = b * BLOCK_BYTES[type];
    const scale = view.getFloat16(at, true);
    for (let e = 0; e < BLOCK; e++) {
      const nibble = (start: number) => view.getUint8(at + start + e % 16) >> (e < 16 ? 0 : 4) & 15;
      out[b * BLOCK + e] = Math.fround(
        type === "q8_0"
          ? view.getInt8(at + 2 + e) * scale
          : type === "q4_0"
          ? (nibble(2) - 8) * scale
          : nibble(4) * scale + view.getFloat16(at + 2, true),
      );
    }
  }
  return out;
}
