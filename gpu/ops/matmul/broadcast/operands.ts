import { comp, lines, range } from "../../wgsl/text.ts";
import {
  BLOCK,
  isQuantised,
  PANEL,
  QUANT_BITS,
  type QuantType,
  runLength,
  runsBehind,
  scaleFactor,
  scalePlace,
  SIDE,
  unpackWeight,
  weightPlace,
} from "../../../quantised.ts";
import { arrayOf, loadWords } from "../../wgsl/load_words.ts";
import { makingOf } from "./input.ts";
import type { BStore, Input, Loads, Product, Tile } from "../variant.ts";

/** Bits of an element of B. */
export const storeBits = (store: BStore): number =>
  isQuantised(store) ? QUANT_BITS[store] : store === "f16" ? 16 : 32;

/** WGSL of element e of loaded words. */
function element(store: BStore, words: string[], e: number, scale: string, min: string): string {
  if (isQuantised(store)) return unpackWeight(store, words, e, scale, min);
  if (store === "f16") return `unpack2x16float(${words[e >> 1]}).${comp[e & 1]}`;
  return `bitcast<f32>(${words[e]})`;
}

/** What is done once, what each turn of the loop begins with, and the name of a value in it. */
export interface Operand {
  declare: string;
  setUp: string;
  step: string;
  value: (i: number, kk: number) => string;
}

/** The same of B, with the words of a load. */
export interface OperandB extends Omit<Operand, "declare"> {
  unit: number;
  /** Values are no names but expressions, to be written once, where they are used. */
  late?: boolean;
}

/**
 * Up to so many rows take quantised weights out of their words only where they multiply: there are eight times as many of
 * them as registers, and storing each for later costs more than all the rest.
 */
const LATE_ROWS = 4;

/**
 * A: vectors of rows (along k; `tn`: along the rows of C), one a lane, handed round by subgroupBroadcast. With `from` they are
 * made from what is loaded, with the bits of the kernel that would else have made them; its bindings start at `binding`.
 */
export function operandA(
  kind: Product,
  tile: Tile,
  loads: Loads,
  subgroup: number,
  from?: { input: Input; binding: number },
): Operand {
  const { rows, depth } = tile;
  const along = kind === "tn" ? rows : depth;
  const unit = Math.min(loads.a, Math.max(4, along));
  const perLine = Math.ceil(along / unit);
  const vectors = kind === "tn" ? depth * perLine : rows * perLine;
  const count = Math.ceil(vectors / subgroup);
  const made = from && makingOf(from.input, tile.rows, unit, perLine, subgroup, loads.u64, from.binding);
  const setUp = lines(count, (l) => {
    const index = `  let i${l} = ${l * subgroup}u + lane;`;
    if (kind !== "tn") {
      return `${index} let pa${l} = (p.aOff + min(row0 + i${l} / ${perLine}u, p.m - 1u) * p.lda) / ${unit}u + i${l} % ${perLine}u;`;
    }
    return `${index} let ka${l} = i${l} / ${perLine}u;
  let pa${l} = (p.aOff + min(row0 + i${l} % ${perLine}u * ${unit}u, (p.m - 1u) / ${unit}u * ${unit}u)) / ${unit}u;`;
  });
  const step = lines(count, (l) => {
    const at = kind === "tn"
      ? `pa${l} + min(k + ka${l}, lastK) * (p.lda / ${unit}u)`
      : `pa${l} + k / ${unit}u`;
    const { text, words } = loadWords(`a${l}`, "a", at, unit, unit, loads.u64);
    // Terms past the last row are zeros.
    const real = (word: string) =>
      kind === "tn" ? `select(0.0, bitcast<f32>(${word}), k + ka${l} <= lastK)` : `bitcast<f32>(${word})`;
    const also = made?.load(l, at);
    const value = (word: string, e: number) => also ? also.value(`bitcast<f32>(${word})`, e) : real(word);
    const values = words.map((word, e) => `    let av${l}_${e} = ${value(word, e)};`).join("\n");
    return `${text}\n${also ? `${also.text}\n` : ""}${values}`;
  });
  return {
    declare: `@group(0) @binding(1) var<storage, read> a: ${arrayOf(unit, loads.u64)};${made?.declare ?? ""}`,
    setUp: made ? `${setUp}\n${lines(count, made.setUp)}` : setUp,
    step,
    value(i, kk) {
      const [line, at] = kind === "tn" ? [kk, i] : [i, kk];
      const vector = line * perLine + Math.floor(at / unit);
      return `subgroupBroadcast(av${Math.floor(vector / subgroup)}_${at % unit}, ${vector % subgroup}u)`;
    },
  };
}

/** B as `nt` has it: for each of the lane's columns, terms that lie side by side. */
export function columnsOfB(store: BStore, tile: Tile, loads: Loads): OperandB {
  const { perThread: columns, depth } = tile;
  const late = isQuantised(store) && tile.rows <= LATE_ROWS;
  const bits = storeBits(store);
  const count = depth * bits / 32;
  const unit = Math.min(loads.b, count);
  const elements = unit * 32 / bits;
  // A lane's columns lie in one panel, and panels are whole: no column of one is past the end.
  const places = isQuantised(store)
    ? `  let pb = (${weightPlace(store, "col0", "0u", "p.ldb")}) / ${elements}u;`
    : lines(
      columns,
      (j) => `  let pb${j} = (p.bOff + min(col0 + ${j}u, p.n - 1u) * p.ldb) / ${elements}u;`,
    );
  const place = (j: number) =>
    isQuantised(store)
      ? `pbk + ${runsBehind(j) * runLength(store) / elements}u`
      : `pb${j} + k / ${elements}u`;
  const loaded = range(columns).map((j) => loadWords(`b${j}`, "b", place(j), count, unit, loads.u64));
  const value = (j: number, kk: number) => {
    const at = `${Math.floor(kk / BLOCK)}_${j}`;
    return element(store, loaded[j].words, kk, `scale${at}`, `min${at}`);
  };
  const step = lines(columns, (j) => {
    const { text } = loaded[j];
    return late ? text : `${text}\n${lines(depth, (kk) => `    let bv${kk}_${j} = ${value(j, kk)};`)}`;
  });
  // The lane's columns are rows of W that follow one another: their scales lie side by side.
  const before = isQuantised(store)
    ? `    let pbk = pb + ${termPlace(store, elements)};\n` +
      lines(Math.ceil(depth / BLOCK), (block) =>
        scaleLoads(store, columns, "col0", `k / ${BLOCK}u + ${block}u`, loads.u64, `${block}_`))
    : "";
  return {
    setUp: places,
    step: `${before}\n${step}`,
    value: late ? value : (j, kk) => `bv${kk}_${j}`,
    unit,
    late,
  };
}

/** WGSL of how far term k of a row lies behind its first, in loads of so many weights. */
function termPlace(store: QuantType, elements: number): string {
  const run = runLength(store);
  return `k / ${run}u * ${run * PANEL / elements}u + k % ${run}u / ${elements}u`;
}

/** B as `nn` and `tn` have it: for each term of the turn, the lane's columns side by side. */
export function rowsOfB(
  kind: Product,
  store: BStore,
  tile: Tile,
  loads: Loads,
): OperandB {
  const { perThread: columns, depth } = tile;
  const bits = storeBits(store);
  const count = columns * bits / 32;
  const unit = Math.min(loads.b, count);
  const elements = unit * 32 / bits;
  const packed = isQuantised(store);
  const setUp = packed
    ? `  let pb = (${weightPlace(store, "0u", "col0", "p.ldb")}) / ${elements}u;`
    : `  let pb = (p.bOff + col0) / ${elements}u; let strideB = p.ldb / ${elements}u;`;
  // The terms of a turn lie in one panel.
  const rows = packed
    ? `    let pbk = pb + (k / ${PANEL}u * ${PANEL}u * p.ldb + (k % ${SIDE}u * ${SIDE}u + k % ${PANEL}u / ${SIDE}u)` +
      ` * ${runLength(store)}u) / ${elements}u;\n`
    : "";
  const step = lines(depth, (kk) => {
    const term = kind === "tn" ? `min(k + ${kk}u, lastK)` : `(k + ${kk}u)`;
    const place = packed
      ? `pbk + ${runsBehind(kk) * runLength(store) / elements}u`
      : `pb + ${term} * strideB`;
    const { text, words } = loadWords(`b${kk}`, "b", place, count, unit, loads.u64);
    const value = (j: number) => element(store, words, j, `scale${kk}`, `min${kk}`);
    return `${text}\n${lines(columns, (j) => `    let bv${kk}_${j} = ${value(j)};`)}`;
  });
  const scales = packed ? scaleLoads(store, depth, "k", `col0 / ${BLOCK}u`, loads.u64) : "";
  return { setUp, step: `${scales}\n${rows}${step}`, value: (j, kk) => `bv${kk}_${j}`, unit };
}

const LINE = 64;

/**
 * Touches the cache lines of B that the turn from term `next` on will read, one a lane, so that their misses overlap: rows of
 * B are long, and no prefetcher sees a stream in the pieces that a subgroup reads. What is loaded is never used.
 */
export function touchRows(
  store: BStore,
  tile: Tile,
  unit: number,
  subgroup: number,
  u64: boolean,
  next: string,
) {
  const word = storeBits(store) / 32;
  const perRow = Math.ceil(tile.cols * word * 4 / LINE);
  const perLine = LINE / 4 / unit; // loads
  const setUp = `  var touched = 0u; let touchAt = pb - lane * ${tile.perThread * word / unit}u;`;
  const step = lines(Math.ceil(tile.depth * perRow / subgroup), (g) => {
    const i = `(${g * subgroup}u + lane)`;
    const at =
      `touchAt + min(${next} + ${i} / ${perRow}u, lastK) * strideB + ${i} % ${perRow}u * ${perLine}u`;
    return `    touched = touched | u32(b[${at}]${unit > (u64 ? 2 : 1) ? ".x" : ""});`;
  });
  return { setUp, step, end: `  if (touched == 1u && p.kStart == 0xffffffffu) { c[0] = c[1]; }` };
}

/**
 * Scales (and minima) of `count` rows of W that follow one another from `row` on, in one block of columns; `suffix` tells
 * blocks of a turn apart. Eight rows' scales lie side by side with their minima behind them: one load takes both.
 */
function scaleLoads(
  store: QuantType,
  count: number,
  row: string,
  block: string,
  u64: boolean,
  suffix = "",
): string {
  const unit = scaleUnit(store, count, u64);
  const each = Math.min(count, SIDE);
  const half = (words: string[], i: number) => `unpack2x16float(${words[i >> 1]}).${comp[i & 1]}`;
  return lines(count / each, (g) => {
    const at = `(${scalePlace(store, g === 0 ? row : `${row} + ${g * each}u`, block, "p.ldb")}) / ${
      unit * 2
    }u`;
    const load = (name: string, place: string, halves: number) =>
      loadWords(`${name}${suffix}${g}w`, "s", place, halves / 2, unit, u64);
    const together = store === "q4_1" && each === SIDE;
    const scales = load("scale", at, together ? 2 * each : each);
    const minima = store !== "q4_1" || together
      ? undefined
      : load("min", `${at} + ${SIDE / unit / 2}u`, each);
    const low = (i: number) => together ? half(scales.words, SIDE + i) : half(minima!.words, i);
    const one = (i: number) => {
      const name = `${suffix}${g * each + i}`;
      const min = store === "q4_1" ? ` let min${name} = ${low(i)};` : "";
      return `    let scale${name} = ${half(scales.words, i)}${scaleFactor(store)};${min}`;
    };
    return `${scales.text}\n${minima ? `${minima.text}\n` : ""}${lines(each, one)}`;
  });
}

/** Words of a load of `count` rows' scales. */
export function scaleUnit(store: QuantType, count: number, u64: boolean): number {
  const words = Math.min(count, SIDE) / 2 * (store === "q4_1" && count >= SIDE ? 2 : 1);
  return Math.min(words, u64 ? 8 : 4);
}
