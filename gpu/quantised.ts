import { INTERLEAVE, isByPanels, PANEL, PANEL_BITS, type PanelType, weightIndex } from "./panels.ts";

/** Element types of weights that stay packed on the device: GGUF's blocks of 32 with a scale in f16, and a minimum in q4_1. */
export type QuantType = Exclude<PanelType, "f16">;

/** Weights of a block: they share a scale. */
export const BLOCK = 32;

/** Bytes of a block in a GGUF file: scale, minimum (q4_1), then the weights. */
export const BLOCK_BYTES: Readonly<Record<QuantType, number>> = { q8_0: 34, q4_0: 18, q4_1: 20 };

/** Whether a weight's type is one of {@link QuantType}. */
export const isQuantised = (type: string): type is QuantType => type !== "f16" && isByPanels(type);

/** Halves of a block's scale: with a minimum in q4_1. */
const scaleParts = (type: QuantType): number => type === "q4_1" ? 2 : 1;

/** Words of the scales, and minima, of so many rows of so many columns as they lie. */
export const scaleWords = (type: QuantType, rows: number, cols: number): number =>
  scaleParts(type) * (cols / BLOCK) * rows / 2;

/** WGSL of the index of a block's scale, in halves; q4_1's minimum is {@link INTERLEAVE} later. */
export function scaleIndex(type: QuantType, row: string, block: string, width: string): string {
  const parts = scaleParts(type);
  return `(((${row}) / ${PANEL}u * (${width} / ${BLOCK}u) + ${block}) * ${PANEL}u` +
    ` + (${row}) % ${PANEL}u / ${INTERLEAVE}u * ${INTERLEAVE}u) * ${parts}u + (${row}) % ${INTERLEAVE}u`;
}

/** {@link scaleIndex} in numbers. */
export function scaleAt(type: QuantType, row: number, block: number, width: number): number {
  const inPanel = row % PANEL;
  const first = (Math.floor(row / PANEL) * width / BLOCK + block) * PANEL;
  return (first + inPanel - row % INTERLEAVE) * scaleParts(type) + row % INTERLEAVE;
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
  const bits = PANEL_BITS[type];
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

/** WGSL of `scaleAt(i)`: the i-th half of a chunk's scales; declares binding 4. */
export const SCALE_AT = `@group(0) @binding(4) var<storage, read> s: array<u32>;
fn scaleAt(i: u32) -> f32 { let pair = unpack2x16float(s[i >> 1u]); return select(pair.x, pair.y, (i & 1u) == 1u); }`;

/**
 * WGSL of `fn weight(row, col) -> f32`, one at a time, of a chunk in `words`, where `width` is the padded columns; declares
 * binding 4. The same bits as {@link unpackWeight}.
 */
export function weightFunction(type: QuantType, words: string, width: string): string {
  const bits = PANEL_BITS[type];
  const word = `${words}[(${weightIndex(type, "row", "col", width)}) / ${32 / bits}u]`;
  const at = `${bits}u * (col % ${32 / bits}u)`;
  const value = type === "q4_1"
    ? `fma(f32((${word} >> (${at})) & 15u), scaleAt(at), scaleAt(at + ${INTERLEAVE}u))`
    : `f32(bitcast<i32>(${word} << (${32 - bits}u - ${at})) >> ${32 - bits}u) * scaleAt(at)`;
  return `${SCALE_AT}
fn weight(row: u32, col: u32) -> f32 {
  let at = ${scaleIndex(type, "row", `col / ${BLOCK}u`, width)};
  return ${value};
}
`;
}
