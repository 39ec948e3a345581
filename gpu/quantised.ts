/** Element types of weights that stay packed on the device: GGUF's blocks of 32 with a scale in f16, and a minimum in q4_1. */
export type QuantType = "q8_0" | "q4_0" | "q4_1";

/** Weights of a block: they share a scale. */
export const BLOCK = 32;

/** Bits of one weight, its share of the block's scale left out. */
export const QUANT_BITS: Readonly<Record<QuantType, number>> = { q8_0: 8, q4_0: 4, q4_1: 4 };

/** Bytes of a block in a GGUF file: scale, minimum (q4_1), then the weights. */
export const BLOCK_BYTES: Readonly<Record<QuantType, number>> = { q8_0: 34, q4_0: 18, q4_1: 20 };

/** Whether a weight's type is one of {@link QuantType}. */
export const isQuantised = (type: string): type is QuantType => type in QUANT_BITS;

/** Scales of a chunk are stored by block, then by row; rows are padded so that kernels may read up to 32 at once. */
export const scaleRows = (rows: number): number => Math.ceil(rows / BLOCK) * BLOCK;

/** Words of a chunk's scales, and of its minima after them. */
export function scaleWords(type: QuantType, rows: number, cols: number): number {
  return (type === "q4_1" ? 2 : 1) * (cols / BLOCK) * scaleRows(rows) / 2;
}

/**
 * WGSL of weight `e` of a packed run, from the words that hold it: `words` are expressions, `scale` and `min` names.
 * The scale must carry {@link scaleFactor}, so that a weight needs no shift down. Exact: a scale of 11 bits times 8.
 */
export function unpackWeight(
  type: QuantType,
  words: readonly string[],
  e: number,
  scale: string,
  min: string,
): string {
  const bits = QUANT_BITS[type];
  const word = words[Math.floor(e * bits / 32)];
  const at = e * bits % 32;
  if (type === "q4_1") {
    const low = at === 0 ? word : `(${word} >> ${at}u)`;
    return `fma(f32(bitcast<i32>(${at === 28 ? low : `(${low} & 15u)`})), ${scale}, ${min})`;
  }
  const up = 32 - bits - at;
  const high = up === 0 ? word : `(${word} << ${up}u)`;
  const mask = bits === 8 ? "0xff000000u" : "0xf0000000u";
  return `f32(bitcast<i32>(${at === 0 ? high : `(${high} & ${mask})`})) * ${scale}`;
}

/** What {@link unpackWeight} wants a scale to be multiplied by, as WGSL: signed weights are read from a word's top. */
export const scaleFactor = (type: QuantType): string =>
  ({ q8_0: " * 0x1p-24f", q4_0: " * 0x1p-28f", q4_1: "" })[type];

/**
 * WGSL of `fn weight(row, col) -> f32`, one at a time, of a chunk in `words` with `s` (scales, then minima), where
 * `width` is that of a row and `p.scaleRows` that of the scales. The same bits as {@link unpackWeight}.
 */
export function weightFunction(type: QuantType, words: string, width: string): string {
  const bits = QUANT_BITS[type];
  const word = `${words}[(row * ${width} + col) / ${32 / bits}u]`;
  const at = `${bits}u * (col % ${32 / bits}u)`;
  const value = type === "q4_1"
    ? `fma(f32((${word} >> (${at})) & 15u), scaleAt(at), scaleAt(at + ${width} / ${BLOCK}u * p.scaleRows))`
    : `f32(bitcast<i32>(${word} << (${32 - bits}u - ${at})) >> ${32 - bits}u) * scaleAt(at)`;
  return `
fn scaleAt(i: u32) -> f32 { let pair = unpack2x16float(s[i >> 1u]); return select(pair.x, pair.y, (i & 1u) == 1u); }
fn weight(row: u32, col: u32) -> f32 { let at = col / ${BLOCK}u * p.scaleRows + row; return ${value}; }
`;
}
