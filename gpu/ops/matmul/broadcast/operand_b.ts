import { lines, range, xyzw } from "../../wgsl/text.ts";
import {
  INTERLEAVE,
  isByPanels,
  PANEL,
  type PanelType,
  runLength,
  runOffset,
  weightIndex,
} from "../../../panels.ts";
import { BLOCK, isQuantised, unpackWeight } from "../../../quantised.ts";
import { loadWords } from "../../wgsl/load_words.ts";
import { bitsOf, type BType, type Loads, type Product, type Tile } from "../variant.ts";
import { scaleLoads } from "./scale_loads.ts";

/**
 * WGSL by which a kernel reads B: what is done once, what each k-step begins with, and the name of a value in it. In it the
 * lane's columns lie at `pb`, of weights by panels in the k-step at `pbk`, and give numbers `bv`{term}_{column}.
 */
export interface OperandB {
  setUp: string;
  step: string;
  /** Of column j and term kk of the k-step. */
  value: (j: number, kk: number) => string;
  /** Words of a load. */
  unit: number;
  /** Values are no names but expressions, to be written once, where they are used. */
  inline?: boolean;
}

/**
 * Up to so many rows take quantised weights out of their words only where they multiply: there are eight times as many of
 * them as registers, and storing each for later costs more than all the rest.
 */
const MOST_INLINE_ROWS = 4;

/** WGSL of element e of loaded words. */
function element(bType: BType, words: string[], e: number, scale: string, min: string): string {
  if (isQuantised(bType)) return unpackWeight(bType, words, e, scale, min);
  if (bType === "f16") return `unpack2x16float(${words[e >> 1]}).${xyzw[e & 1]}`;
  return `bitcast<f32>(${words[e]})`;
}

/** B as `nt` has it: for each of the lane's columns, terms that lie side by side. */
export function columnsOfB(bType: BType, tile: Tile, loads: Loads): OperandB {
  const { perThread: columns, depth } = tile;
  const inline = isQuantised(bType) && tile.rows <= MOST_INLINE_ROWS;
  const bits = bitsOf(bType);
  const count = depth * bits / 32;
  const unit = Math.min(loads.b, count);
  const elements = unit * 32 / bits;
  // A lane's columns lie in one panel, and panels are whole: no column of one is past the end.
  const setUp = isByPanels(bType)
    ? `  let pb = (${weightIndex(bType, "col0", "0u", "p.ldb")}) / ${elements}u;`
    : lines(
      columns,
      (j) => `  let pb${j} = (p.bOff + min(col0 + ${j}u, p.n - 1u) * p.ldb) / ${elements}u;`,
    );
  const index = (j: number) =>
    isByPanels(bType) ? `pbk + ${runOffset(j) * runLength(bType) / elements}u` : `pb${j} + k / ${elements}u`;
  const loaded = range(columns).map((j) => loadWords(`b${j}`, "b", index(j), count, unit, loads.u64));
  const value = (j: number, kk: number) => {
    const at = `${Math.floor(kk / BLOCK)}_${j}`;
    return element(bType, loaded[j].words, kk, `scale${at}`, `min${at}`);
  };
  const step = lines(columns, (j) => {
    const { text } = loaded[j];
    return inline ? text : `${text}\n${lines(depth, (kk) => `    let bv${kk}_${j} = ${value(j, kk)};`)}`;
  });
  // The lane's columns are rows of W that follow one another: their scales lie side by side.
  const scales = isQuantised(bType)
    ? lines(
      Math.ceil(depth / BLOCK),
      (block) => scaleLoads(bType, columns, "col0", `k / ${BLOCK}u + ${block}u`, loads.u64, `${block}_`),
    )
    : "";
  const before = isByPanels(bType) ? `    let pbk = pb + ${termOffset(bType, elements)};\n${scales}` : "";
  return {
    setUp,
    step: `${before}\n${step}`,
    value: inline ? value : (j, kk) => `bv${kk}_${j}`,
    unit,
    inline,
  };
}

/** WGSL of how far term k of a row lies behind its first, in loads of so many weights. */
function termOffset(bType: PanelType, elements: number): string {
  const run = runLength(bType);
  return `k / ${run}u * ${run * PANEL / elements}u + k % ${run}u / ${elements}u`;
}

/** B as `nn` and `tn` have it: for each term of the k-step, the lane's columns side by side. */
export function rowsOfB(kind: Product, bType: BType, tile: Tile, loads: Loads): OperandB {
  const { perThread: columns, depth } = tile;
  const bits = bitsOf(bType);
  const count = columns * bits / 32;
  const unit = Math.min(loads.b, count);
  const elements = unit * 32 / bits;
  const panels = isByPanels(bType);
  const setUp = panels
    ? `  let pb = (${weightIndex(bType, "0u", "col0", "p.ldb")}) / ${elements}u;`
    : `  let pb = (p.bOff + col0) / ${elements}u; let strideB = p.ldb / ${elements}u;`;
  // The terms of a k-step lie in one panel.
  const rows = panels
    ? `    let pbk = pb + (k / ${PANEL}u * ${PANEL}u * p.ldb + (k % ${INTERLEAVE}u * ${INTERLEAVE}u + k % ${PANEL}u / ${INTERLEAVE}u)` +
      ` * ${runLength(bType)}u) / ${elements}u;\n`
    : "";
  const step = lines(depth, (kk) => {
    const term = kind === "tn" ? `min(k + ${kk}u, lastK)` : `(k + ${kk}u)`;
    const index = panels ? `pbk + ${runOffset(kk) * runLength(bType) / elements}u` : `pb + ${term} * strideB`;
    const { text, words } = loadWords(`b${kk}`, "b", index, count, unit, loads.u64);
    const value = (j: number) => element(bType, words, j, `scale${kk}`, `min${kk}`);
    return `${text}\n${lines(columns, (j) => `    let bv${kk}_${j} = ${value(j)};`)}`;
  });
  const scales = isQuantised(bType) ? scaleLoads(bType, depth, "k", `col0 / ${BLOCK}u`, loads.u64) : "";
  return { setUp, step: `${scales}\n${rows}${step}`, value: (j, kk) => `bv${kk}_${j}`, unit };
}
