import { bitsOf, type BType, type Tile } from "../variant.ts";

/** Sizes of a workgroup: what it stages at a time and how that lies in its memory. */
export interface Layout {
  rows: number;
  /** Columns of the workgroup, of a thread, and groups of threads that have the same columns. */
  cols: number;
  perThread: number;
  groups: number;
  /** Segments side by side, and what each stages at a time: terms, words of B, loads of `unit` words. */
  segments: number;
  terms: number;
  words: number;
  unit: number;
  perWord: number;
  threads: number;
  /** Outputs of the workgroup. */
  outputs: number;
  /** Values of A a term (vectors of at most four rows), and between segments; odd, so that lanes meet other banks. */
  vectors: number;
  strideA: number;
  /** Words of B between segments, and words of the array. */
  strideB: number;
  sizeB: number;
}

/** The layout of a tile of family `split`, for `nt`. */
export function splitLayout(bType: BType, { rows, cols, perThread, depth: segments }: Tile): Layout {
  const perWord = 32 / bitsOf(bType);
  const terms = bType === "f32" ? 16 : 32;
  const words = terms / perWord;
  const groups = cols / perThread;
  const vectors = Math.ceil(rows / 4);
  const outputs = cols * rows;
  const strideB = words + 1;
  return {
    ...{ rows, cols, perThread, groups, segments, terms, words, perWord, outputs, vectors, strideB },
    unit: Math.min(words, 4),
    threads: groups * segments,
    strideA: terms * vectors + 1,
    sizeB: Math.max(cols * segments * strideB, segments * (outputs + 1)),
  };
}

/** Threads of a workgroup of split sums, `nt`. */
export const splitThreadsNT = ({ cols, perThread, depth }: Tile): number => cols / perThread * depth;

/** Bytes of workgroup memory that it takes. */
export function splitBytesNT(bType: BType, tile: Tile): number {
  const { segments, strideA, sizeB, rows } = splitLayout(bType, tile);
  return segments * strideA * 4 * Math.min(rows, 4) + sizeB * 4;
}

/** Terms that rows of A and W must be a multiple of. */
export const splitUnit = (bType: BType): number => {
  const { unit, perWord } = splitLayout(bType, { family: "split", rows: 1, cols: 1, perThread: 1, depth: 1 });
  return Math.max(4, unit * perWord);
};
