/** Element types of weights that lie by panels on the device: all that are smaller than f32. */
export type PanelType = "f16" | "q8_0" | "q4_0" | "q4_1";

/** Bits of one weight, a quantised one's share of its block's scale left out. */
export const PANEL_BITS: Readonly<Record<PanelType, number>> = { f16: 16, q8_0: 8, q4_0: 4, q4_1: 4 };

/** Whether a weight's type is one of {@link PanelType}. */
export const isByPanels = (type: string): type is PanelType => type in PANEL_BITS;

/**
 * Rows of a panel. A chunk lies on the device by panels: of 64 rows first the first run of each, then the second of each, and
 * so on; the scales of quantised ones likewise, block by block, eight rows' scales and then their minima. Within a panel come
 * first the runs of every eighth row, 0, 8, 16 and so on, then of 1, 9, 17: eight lanes with eight columns each load them so. A
 * product with a panel thus reads memory in the order in which it lies. With rows one after another it would wait for most
 * loads, since no prefetcher follows 64 rows at once.
 */
export const PANEL = 64;

/**
 * Rows of a panel are interleaved by so many ({@link PANEL}). The scales of so many consecutive rows lie side by side, which is
 * what a lane needs for its columns; so far behind them lie q4_1's minima.
 */
export const INTERLEAVE = 8;

/** Weights of a run: those of one row that lie side by side, 32 bytes, as much as a load takes; of f16 a cache line of 64. */
export const runLength = (type: PanelType): number => type === "f16" ? 32 : 256 / PANEL_BITS[type];

/** Columns of a chunk as it lies: whole runs. */
export const paddedCols = (type: PanelType, cols: number): number => roundUp(cols, runLength(type));

/** Rows of a chunk as it lies: whole panels. */
export const paddedRows = (rows: number): number => roundUp(rows, PANEL);

const roundUp = (count: number, to: number): number => Math.ceil(count / to) * to;

/** Runs by which row `j` of a panel, or of a group of eight in it, lies behind the first. */
export const runOffset = (j: number): number => j % INTERLEAVE * INTERLEAVE + Math.floor(j / INTERLEAVE);

/** WGSL of the index of a weight, in weights; `width`: the padded columns. */
export function weightIndex(type: PanelType, row: string, col: string, width: string): string {
  const run = runLength(type);
  return `((${row}) / ${PANEL}u * ${width} + (${col}) / ${run}u * ${run}u) * ${PANEL}u` +
    ` + ((${row}) % ${INTERLEAVE}u * ${INTERLEAVE}u + (${row}) % ${PANEL}u / ${INTERLEAVE}u) * ${run}u + (${col}) % ${run}u`;
}

/** {@link weightIndex} in numbers. */
export function weightAt(type: PanelType, row: number, col: number, width: number): number {
  const run = runLength(type);
  return (Math.floor(row / PANEL) * width + col - col % run) * PANEL + runOffset(row % PANEL) * run +
    col % run;
}

/** WGSL of `fn weight(row, col) -> f32`, one at a time, of a chunk of f16 in `words`, where `width` is the padded columns. */
export const halfFunction = (words: string, width: string): string =>
  `fn weight(row: u32, col: u32) -> f32 {
  let at = ${weightIndex("f16", "row", "col", width)};
  let pair = unpack2x16float(${words}[at >> 1u]);
  return select(pair.x, pair.y, (at & 1u) == 1u);
}
`;
