/**
 * The element types of weight files and their conversion to f32: plain floats, and GGUF's blocks of small integers
 * with scales (ggml's own layouts, described at each function). Every product of scales and integers here is exact in
 * f32 but for one last rounding, so results equal the reference's to the bit.
 *
 * @module
 */

/** How a type is stored, and its way to f32. */
export interface ElementType {
  /** Elements of a block; 1 for plain numbers. Rows are whole blocks. */
  blockElements: number;
  /** Bytes of a block. */
  blockBytes: number;
  /** Converts `blocks` blocks at the start of `bytes` into `out`, from `at` on. */
  toF32(bytes: Uint8Array<ArrayBuffer>, blocks: number, out: Float32Array<ArrayBuffer>, at: number): void;
}

/** The types that can be read, by the name that GGUF and safetensors give them. */
export const ELEMENT_TYPES: Readonly<Record<string, ElementType>> = {
  F32: { blockElements: 1, blockBytes: 4, toF32: copyF32 },
  F16: { blockElements: 1, blockBytes: 2, toF32: widenF16 },
  BF16: { blockElements: 1, blockBytes: 2, toF32: widenBf16 },
  Q4_0: { blockElements: 32, blockBytes: 18, toF32: fromQ4_0 },
  Q4_1: { blockElements: 32, blockBytes: 20, toF32: fromQ4_1 },
  Q5_0: { blockElements: 32, blockBytes: 22, toF32: fromQ5_0 },
  Q5_1: { blockElements: 32, blockBytes: 24, toF32: fromQ5_1 },
  Q8_0: { blockElements: 32, blockBytes: 34, toF32: fromQ8_0 },
  Q4_K: { blockElements: 256, blockBytes: 144, toF32: fromQ4_K },
  Q5_K: { blockElements: 256, blockBytes: 176, toF32: fromQ5_K },
  Q6_K: { blockElements: 256, blockBytes: 210, toF32: fromQ6_K },
};

/** The type of a name; undefined for names of no type, `constructor` included. */
export const elementType = (name: string): ElementType | undefined =>
  Object.hasOwn(ELEMENT_TYPES, name) ? ELEMENT_TYPES[name] : undefined;

/** Bytes of `elements` elements, whole blocks, of a type that can be read. */
export function bytesOfElements(dtype: string, elements: number): number {
  const { blockElements, blockBytes } = ELEMENT_TYPES[dtype];
  return elements / blockElements * blockBytes;
}

function copyF32(bytes: Uint8Array, blocks: number, out: Float32Array<ArrayBuffer>, at: number): void {
  new Uint8Array(out.buffer, out.byteOffset + 4 * at, 4 * blocks).set(bytes.subarray(0, 4 * blocks));
}

function widenF16(
  bytes: Uint8Array<ArrayBuffer>,
  blocks: number,
  out: Float32Array<ArrayBuffer>,
  at: number,
): void {
  const [table, halves] = [f16Table(), new Uint16Array(bytes.buffer, bytes.byteOffset, blocks)];
  for (let i = 0; i < blocks; i++) out[at + i] = table[halves[i]];
}

function widenBf16(
  bytes: Uint8Array<ArrayBuffer>,
  blocks: number,
  out: Float32Array<ArrayBuffer>,
  at: number,
): void {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, blocks);
  const bits = new Uint32Array(out.buffer, out.byteOffset + 4 * at, blocks);
  for (let i = 0; i < blocks; i++) bits[i] = halves[i] << 16;
}

let table: Float32Array | undefined;

/** Every f16 as f32: a look-up is four times as fast as a conversion. */
const f16Table = () =>
  table ??= Float32Array.from(new Float16Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer));

/** d: f16, then 16 bytes; byte i holds element i in its low and i + 16 in its high half: d (q - 8). */
function fromQ4_0(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const halves = f16Table();
  for (let b = 0, p = 0; b < blocks; b++, p += 18, at += 32) {
    const d = halves[bytes[p] | bytes[p + 1] << 8];
    for (let i = 0; i < 16; i++) {
      const q = bytes[p + 2 + i];
      out[at + i] = d * ((q & 15) - 8);
      out[at + 16 + i] = d * ((q >> 4) - 8);
    }
  }
}

/** d, m: f16, then 16 bytes as in Q4_0: d q + m. */
function fromQ4_1(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const halves = f16Table();
  for (let b = 0, p = 0; b < blocks; b++, p += 20, at += 32) {
    const d = halves[bytes[p] | bytes[p + 1] << 8];
    const m = halves[bytes[p + 2] | bytes[p + 3] << 8];
    for (let i = 0; i < 16; i++) {
      const q = bytes[p + 4 + i];
      out[at + i] = d * (q & 15) + m;
      out[at + 16 + i] = d * (q >> 4) + m;
    }
  }
}

/** d: f16, the elements' fifth bits in 4 bytes, then 16 bytes as in Q4_0: d (q - 16). */
function fromQ5_0(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const halves = f16Table();
  for (let b = 0, p = 0; b < blocks; b++, p += 22, at += 32) {
    const d = halves[bytes[p] | bytes[p + 1] << 8];
    const high = bytes[p + 2] | bytes[p + 3] << 8 | bytes[p + 4] << 16 | bytes[p + 5] << 24;
    for (let i = 0; i < 16; i++) {
      const q = bytes[p + 6 + i];
      out[at + i] = d * ((q & 15 | (high >>> i & 1) << 4) - 16);
      out[at + 16 + i] = d * ((q >> 4 | (high >>> i + 16 & 1) << 4) - 16);
    }
  }
}

/** d, m: f16, fifth bits, then 16 bytes as in Q5_0: d q + m. */
function fromQ5_1(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const halves = f16Table();
  for (let b = 0, p = 0; b < blocks; b++, p += 24, at += 32) {
    const d = halves[bytes[p] | bytes[p + 1] << 8];
    const m = halves[bytes[p + 2] | bytes[p + 3] << 8];
    const high = bytes[p + 4] | bytes[p + 5] << 8 | bytes[p + 6] << 16 | bytes[p + 7] << 24;
    for (let i = 0; i < 16; i++) {
      const q = bytes[p + 8 + i];
      out[at + i] = d * (q & 15 | (high >>> i & 1) << 4) + m;
      out[at + 16 + i] = d * (q >> 4 | (high >>> i + 16 & 1) << 4) + m;
    }
  }
}

/** d: f16, then 32 signed bytes: d q. */
function fromQ8_0(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const halves = f16Table();
  for (let b = 0, p = 0; b < blocks; b++, p += 34, at += 32) {
    const d = halves[bytes[p] | bytes[p + 1] << 8];
    for (let i = 0; i < 32; i++) out[at + i] = d * (bytes[p + 2 + i] << 24 >> 24);
  }
}

/** Scale and minimum, six bits each, of sub-block j of 8: K-blocks pack them into 12 bytes from `p` on. */
const scaleOf = (bytes: Uint8Array, p: number, j: number) =>
  j < 4 ? bytes[p + j] & 63 : bytes[p + j + 4] & 15 | bytes[p + j - 4] >> 6 << 4;
const minimumOf = (bytes: Uint8Array, p: number, j: number) =>
  j < 4 ? bytes[p + j + 4] & 63 : bytes[p + j + 4] >> 4 | bytes[p + j] >> 6 << 4;

/**
 * d, dmin: f16, 12 bytes of scales and minima, then 128 bytes: 32 bytes hold sub-block 2j in their low halves and
 * 2j + 1 in their high ones: d scale q - dmin minimum.
 */
function fromQ4_K(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const halves = f16Table();
  for (let b = 0, p = 0; b < blocks; b++, p += 144) {
    const d = halves[bytes[p] | bytes[p + 1] << 8];
    const dmin = halves[bytes[p + 2] | bytes[p + 3] << 8];
    for (let j = 0; j < 8; j += 2, at += 64) {
      const [low, high] = [d * scaleOf(bytes, p + 4, j), d * scaleOf(bytes, p + 4, j + 1)];
      const [lowMin, highMin] = [dmin * minimumOf(bytes, p + 4, j), dmin * minimumOf(bytes, p + 4, j + 1)];
      const quants = p + 16 + 16 * j;
      for (let i = 0; i < 32; i++) {
        const q = bytes[quants + i];
        out[at + i] = low * (q & 15) - lowMin;
        out[at + 32 + i] = high * (q >> 4) - highMin;
      }
    }
  }
}

/** As Q4_K, with 32 bytes of fifth bits before the quants: bit j of byte i belongs to element i of sub-block j. */
function fromQ5_K(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const halves = f16Table();
  for (let b = 0, p = 0; b < blocks; b++, p += 176) {
    const d = halves[bytes[p] | bytes[p + 1] << 8];
    const dmin = halves[bytes[p + 2] | bytes[p + 3] << 8];
    for (let j = 0; j < 8; j += 2, at += 64) {
      const [low, high] = [d * scaleOf(bytes, p + 4, j), d * scaleOf(bytes, p + 4, j + 1)];
      const [lowMin, highMin] = [dmin * minimumOf(bytes, p + 4, j), dmin * minimumOf(bytes, p + 4, j + 1)];
      const quants = p + 48 + 16 * j;
      for (let i = 0; i < 32; i++) {
        const q = bytes[quants + i];
        const fifth = bytes[p + 16 + i] >> j;
        out[at + i] = low * (q & 15 | (fifth & 1) << 4) - lowMin;
        out[at + 32 + i] = high * (q >> 4 | (fifth & 2) << 3) - highMin;
      }
    }
  }
}

/**
 * 128 bytes of low halves, 64 of upper pairs of bits, 16 signed scales, d: f16. Half a block is four runs of 32: the
 * low halves of 64 bytes, then the high ones; pair k of byte i belongs to element i of run k: d scale (q - 32).
 */
function fromQ6_K(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const halves = f16Table();
  for (let b = 0, p = 0; b < blocks; b++, p += 210) {
    const d = halves[bytes[p + 208] | bytes[p + 209] << 8];
    for (let half = 0; half < 2; half++, at += 128) {
      const [low, pairs, scales] = [p + 64 * half, p + 128 + 32 * half, p + 192 + 8 * half];
      for (let part = 0; part < 2; part++) {
        const [s0, s1, s2, s3] = [0, 2, 4, 6].map((k) => d * (bytes[scales + k + part] << 24 >> 24));
        for (let i = 16 * part; i < 16 * part + 16; i++) {
          const [a, c, upper] = [bytes[low + i], bytes[low + 32 + i], bytes[pairs + i]];
          out[at + i] = s0 * ((a & 15 | (upper & 3) << 4) - 32);
          out[at + 32 + i] = s1 * ((c & 15 | (upper & 12) << 2) - 32);
          out[at + 64 + i] = s2 * ((a >> 4 | upper & 48) - 32);
          out[at + 96 + i] = s3 * ((c >> 4 | (upper & 192) >> 2) - 32);
        }
      }
    }
  }
}
