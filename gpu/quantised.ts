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

/**
 * Rows of a panel. A chunk lies on the device by panels: of 64 rows first the first run of each, then the second of each, and
 * so on; the scales likewise, block by block, eight rows' scales and then their minima. Within a panel come first the runs of
 * every eighth row, 0, 8, 16 and so on, then of 1, 9, 17: eight lanes with eight columns each load them so. A product with
 * a panel thus reads memory in the order in which it lies. With rows one after another it would wait for most loads, since no
 * prefetcher follows 64 rows at once.
 */
export const PANEL = 64;

/** Weights of a run: those of one row that lie side by side, 32 bytes, as much as a load takes. */
export const runLength = (type: QuantType): number => 256 / QUANT_BITS[type];

/** Columns of a chunk as it lies: whole runs. */
export const paddedCols = (type: QuantType, cols: number): number => roundUp(cols, runLength(type));

/** Rows of a chunk as it lies: whole panels. */
export const paddedRows = (rows: number): number => roundUp(rows, PANEL);

const roundUp = (count: number, to: number): number => Math.ceil(count / to) * to;

/**
 * Rows of a panel are interleaved by so many ({@link PANEL}). The scales of so many consecutive rows lie side by side, which is
 * what a lane needs for its columns; so far behind them lie q4_1's minima.
 */
export const INTERLEAVE = 8;

/** Runs by which row `j` of a panel, or of a group of eight in it, lies behind the first. */
export const runOffset = (j: number): number => j % INTERLEAVE * INTERLEAVE + Math.floor(j / INTERLEAVE);

/** Halves of a block's scale: with a minimum in q4_1. */
const scaleParts = (type: QuantType): number => type === "q4_1" ? 2 : 1;

/** Words of the scales, and minima, of so many rows of so many columns as they lie. */
export const scaleWords = (type: QuantType, rows: number, cols: number): number =>
  scaleParts(type) * (cols / BLOCK) * rows / 2;

/** WGSL of the index of a weight, in weights; `width`: the padded columns. */
export function weightIndex(type: QuantType, row: string, col: string, width: string): string {
  const run = runLength(type);
  return `((${row}) / ${PANEL}u * ${width} + (${col}) / ${run}u * ${run}u) * ${PANEL}u` +
    ` + ((${row}) % ${INTERLEAVE}u * ${INTERLEAVE}u + (${row}) % ${PANEL}u / ${INTERLEAVE}u) * ${run}u + (${col}) % ${run}u`;
}

/** WGSL of the index of a block's scale, in halves; q4_1's minimum is {@link INTERLEAVE} later. */
export function scaleIndex(type: QuantType, row: string, block: string, width: string): string {
  const parts = scaleParts(type);
  return `(((${row}) / ${PANEL}u * (${width} / ${BLOCK}u) + ${block}) * ${PANEL}u` +
    ` + (${row}) % ${PANEL}u / ${INTERLEAVE}u * ${INTERLEAVE}u) * ${parts}u + (${row}) % ${INTERLEAVE}u`;
}

/** {@link weightIndex} and {@link scaleIndex} in numbers. */
export function indicesOf(type: QuantType, row: number, col: number, width: number): [number, number] {
  const run = runLength(type);
  const [panel, inPanel] = [Math.floor(row / PANEL), row % PANEL];
  const weight = (panel * width + col - col % run) * PANEL + runOffset(inPanel) * run + col % run;
  const block = (panel * width / BLOCK + Math.floor(col / BLOCK)) * PANEL;
  return [weight, (block + inPanel - row % INTERLEAVE) * scaleParts(type) + row % INTERLEAVE];
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

/** WGSL of `scaleAt(i)`: the i-th half of a chunk's scales; declares binding 4. */
export const SCALE_AT = `@group(0) @binding(4) var<storage, read> s: array<u32>;
fn scaleAt(i: u32) -> f32 { let pair = unpack2x16float(s[i >> 1u]); return select(pair.x, pair.y, (i & 1u) == 1u); }`;

/**
 * WGSL of `fn weight(row, col) -> f32`, one at a time, of a chunk in `words`, where `width` is the padded columns; declares
 * binding 4. The same bits as {@link unpackWeight}.
 */
export function weightFunction(type: QuantType, words: string, width: string): string {
  const bits = QUANT_BITS[type];
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
