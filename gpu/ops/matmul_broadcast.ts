import { BLOCK, isQuantised, QUANT_BITS, type QuantType, scaleFactor, unpackWeight } from "../quantised.ts";
import { arrayOf, loadWords } from "./load_words.ts";
import type { BStore, Loads, MatmulVariant, Product, Tile } from "./matmul_source.ts";

const range = (n: number): number[] => [...Array(n).keys()];
const lines = (n: number, make: (i: number) => string): string => range(n).map(make).join("\n");
const comp = ["x", "y", "z", "w"];

/** Bits of an element of B. */
export const storeBits = (store: BStore): number =>
  isQuantised(store) ? QUANT_BITS[store] : store === "f16" ? 16 : 32;

/** Columns of C whose sums are advanced together: few enough to stay in registers beside A's numbers. */
const TOGETHER = 4;

/** WGSL of element e of loaded words. */
function element(store: BStore, words: string[], e: number, scale: string, min: string): string {
  if (isQuantised(store)) return unpackWeight(store, words, e, scale, min);
  if (store === "f16") return `unpack2x16float(${words[e >> 1]}).${comp[e & 1]}`;
  return `bitcast<f32>(${words[e]})`;
}

/** What is done once, what each turn of the loop begins with, and the name of a value in it. */
interface Operand {
  declare: string;
  setUp: string;
  step: string;
  value: (i: number, kk: number) => string;
}

/** The same of B, with the words of a load. */
interface OperandB extends Omit<Operand, "declare"> {
  unit: number;
  /** Values are no names but expressions, to be written once, where they are used. */
  late?: boolean;
}

/**
 * Up to so many rows take quantised weights out of their words only where they multiply: there are eight times as many of
 * them as registers, and storing each for later costs more than all the rest.
 */
const LATE_ROWS = 4;

/** A: vectors of rows (along k; `tn`: along the rows of C), one a lane, handed round by subgroupBroadcast. */
function operandA(kind: Product, tile: Tile, loads: Loads, subgroup: number): Operand {
  const { rows, depth } = tile;
  const along = kind === "tn" ? rows : depth;
  const unit = Math.min(loads.a, Math.max(4, along));
  const perLine = Math.ceil(along / unit);
  const vectors = kind === "tn" ? depth * perLine : rows * perLine;
  const count = Math.ceil(vectors / subgroup);
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
    const { text, words } = loadWords(`a${l}`, "a", at, unit, unit, loads.wide);
    // Terms past the last row are zeros.
    const real = (word: string) =>
      kind === "tn" ? `select(0.0, bitcast<f32>(${word}), k + ka${l} <= lastK)` : `bitcast<f32>(${word})`;
    return `${text}\n${words.map((word, e) => `    let av${l}_${e} = ${real(word)};`).join("\n")}`;
  });
  return {
    declare: `@group(0) @binding(1) var<storage, read> a: ${arrayOf(unit, loads.wide)};`,
    setUp,
    step,
    value(i, kk) {
      const [line, at] = kind === "tn" ? [kk, i] : [i, kk];
      const vector = line * perLine + Math.floor(at / unit);
      return `subgroupBroadcast(av${Math.floor(vector / subgroup)}_${at % unit}, ${vector % subgroup}u)`;
    },
  };
}

/** B as `nt` has it: for each of the lane's columns, terms that lie side by side. */
function columnsOfB(store: BStore, tile: Tile, loads: Loads): OperandB {
  const { perThread: columns, depth } = tile;
  const late = isQuantised(store) && tile.rows <= LATE_ROWS;
  const bits = storeBits(store);
  const count = depth * bits / 32;
  const unit = Math.min(loads.b, count);
  const elements = unit * 32 / bits;
  const setUp = lines(
    columns,
    (j) => `  let pb${j} = (p.bOff + min(col0 + ${j}u, p.n - 1u) * p.ldb) / ${elements}u;`,
  );
  const loaded = range(columns).map((j) =>
    loadWords(`b${j}`, "b", `pb${j} + k / ${elements}u`, count, unit, loads.wide)
  );
  const value = (j: number, kk: number) => {
    const at = `${Math.floor(kk / BLOCK)}_${j}`;
    return element(store, loaded[j].words, kk, `scale${at}`, `min${at}`);
  };
  const step = lines(columns, (j) => {
    const { text } = loaded[j];
    return late ? text : `${text}\n${lines(depth, (kk) => `    let bv${kk}_${j} = ${value(j, kk)};`)}`;
  });
  // The lane's columns are rows of W that follow one another: their scales lie side by side.
  const scales = (block: number) =>
    scaleLoads(
      store as QuantType,
      columns,
      `(k / ${BLOCK}u + ${block}u) * p.scaleRows + col0`,
      loads.wide,
      `${block}_`,
    );
  const before = isQuantised(store) ? lines(Math.ceil(depth / BLOCK), scales) : "";
  return { setUp, step: `${before}\n${step}`, value: late ? value : (j, kk) => `bv${kk}_${j}`, unit, late };
}

/** B as `nn` and `tn` have it: for each term of the turn, the lane's columns side by side. */
function rowsOfB(
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
  const setUp = `  let pb = (p.bOff + col0) / ${elements}u; let strideB = p.ldb / ${elements}u;`;
  const step = lines(depth, (kk) => {
    const term = kind === "tn" ? `min(k + ${kk}u, lastK)` : `(k + ${kk}u)`;
    const { text, words } = loadWords(`b${kk}`, "b", `pb + ${term} * strideB`, count, unit, loads.wide);
    const value = (j: number) => element(store, words, j, `scale${kk}`, `min${kk}`);
    return `${text}\n${lines(columns, (j) => `    let bv${kk}_${j} = ${value(j)};`)}`;
  });
  const scales = isQuantised(store)
    ? scaleLoads(store, depth, `col0 / ${BLOCK}u * p.scaleRows + k`, loads.wide)
    : "";
  return { setUp, step: `${scales}\n${step}`, value: (j, kk) => `bv${kk}_${j}`, unit };
}

const LINE = 64;

/**
 * Touches the cache lines of B that the turn from term `next` on will read, one a lane, so that their misses overlap: rows of
 * B are long, and no prefetcher sees a stream in the pieces that a subgroup reads. What is loaded is never used.
 */
function touchRows(store: BStore, tile: Tile, unit: number, subgroup: number, wide: boolean, next: string) {
  const word = storeBits(store) / 32;
  const perRow = Math.ceil(tile.cols * word * 4 / LINE);
  const perLine = LINE / 4 / unit; // loads
  const setUp = `  var touched = 0u; let touchAt = pb - lane * ${tile.perThread * word / unit}u;`;
  const step = lines(Math.ceil(tile.depth * perRow / subgroup), (g) => {
    const i = `(${g * subgroup}u + lane)`;
    const at =
      `touchAt + min(${next} + ${i} / ${perRow}u, lastK) * strideB + ${i} % ${perRow}u * ${perLine}u`;
    return `    touched = touched | u32(b[${at}]${unit > (wide ? 2 : 1) ? ".x" : ""});`;
  });
  return { setUp, step, end: `  if (touched == 1u && p.kStart == 0xffffffffu) { c[0] = vec4<f32>(); }` };
}

/**
 * Scales (and minima) of `count` rows of W that follow one another, in one block of columns, from half `at` on; `suffix`
 * tells blocks of a turn apart.
 */
function scaleLoads(
  store: QuantType,
  count: number,
  at: string,
  wide: boolean,
  suffix = "",
): string {
  const unit = scaleUnit(count, wide);
  const part = (what: string, start: string, factor: string) => {
    const name = what + suffix;
    const { text, words } = loadWords(`${name}w`, "s", `(${start}) / ${unit * 2}u`, count / 2, unit, wide);
    return `${text}\n${
      lines(count, (i) => `    let ${name}${i} = unpack2x16float(${words[i >> 1]}).${comp[i & 1]}${factor};`)
    }`;
  };
  const scales = part("scale", at, scaleFactor(store));
  return store === "q4_1"
    ? `${scales}\n${part("min", `${at} + p.ldb / ${BLOCK}u * p.scaleRows`, "")}`
    : scales;
}

const scaleUnit = (count: number, wide: boolean): number => Math.min(count / 2, wide ? 8 : 4);

/**
 * The products of a turn. A few sums at a time, each through the whole turn: the software device's compiler has far fewer
 * registers than there are sums, and spills each once a turn. Scalars, since vectors would be spilled more often.
 */
function multiplyAll(a: Operand, b: OperandB, { rows, perThread: columns, depth }: Tile): string {
  const handed = (i: number) => lines(depth, (kk) => `    let s${i}_${kk} = ${a.value(i, kk)};`);
  const add = (i: number, j: number, kk: number, value: string) =>
    `    acc${i}_${j} = fma(s${i}_${kk}, ${value}, acc${i}_${j});`;
  const sums = (each: (j: number, kk: number) => string) =>
    lines(
      columns / TOGETHER,
      (q) => lines(depth, (kk) => lines(TOGETHER, (e) => each(q * TOGETHER + e, kk))),
    );
  if (!b.late) return lines(rows, (i) => `${handed(i)}\n${sums((j, kk) => add(i, j, kk, b.value(j, kk)))}`);
  const late = (j: number, kk: number) =>
    `    let b${kk}_${j} = ${b.value(j, kk)};\n${lines(rows, (i) => add(i, j, kk, `b${kk}_${j}`))}`;
  return `${lines(rows, handed)}\n${sums(late)}`;
}

/**
 * One subgroup computes `rows` x (S * perThread) outputs, `depth` terms a turn. A's vectors are loaded one a lane and
 * handed round by subgroupBroadcast with constant lanes; B is read once by the lane that owns the column. No shared
 * memory. On the software device a load of eight lanes costs as much as some fifty multiplications, whether it takes
 * 4 bytes or 32: hence the widest loads that alignment allows.
 */
export function broadcastKernel(variant: MatmulVariant, loads: Loads, subgroup: number): string {
  const { kind, store, tile, sparse } = variant;
  const { rows, perThread: columns, depth } = tile;
  const a = operandA(kind, tile, loads, subgroup);
  const b = kind === "nt" ? columnsOfB(store, tile, loads) : rowsOfB(kind, store, tile, loads);
  const scaleCount = kind === "nt" ? columns : depth;
  const scales = isQuantised(store)
    ? `@group(0) @binding(4) var<storage, read> s: ${arrayOf(scaleUnit(scaleCount, loads.wide), loads.wide)};`
    : "";
  const multiply = multiplyAll(a, b, tile);
  const place = (i: number, q: number) => `c[(p.cOff + (row0 + ${i}u) * p.ldc + col0 + ${q * 4}u) >> 2u]`;
  const inside = (i: number, q: number) => `row0 + ${i}u < p.m && col0 + ${q * 4}u < p.n`;
  const each = (make: (i: number, q: number) => string) =>
    lines(rows, (i) => lines(columns / 4, (q) => make(i, q)));
  const old = (i: number, q: number) => range(4).map((e) => `acc${i}_${q * 4 + e} = o.${comp[e]};`).join(" ");
  const four = (i: number, q: number) => range(4).map((e) => `acc${i}_${q * 4 + e}`).join(", ");
  // The list of a tile of rows: how many runs of terms, then the first term of each, ascending.
  const list = sparse
    ? `@group(0) @binding(${isQuantised(store) ? 5 : 4}) var<storage, read> list: array<u32>;`
    : "";
  const touch = variant.touch
    ? touchRows(
      store,
      tile,
      b.unit,
      subgroup,
      loads.wide,
      sparse ? "list[listAt + min(run + 1u, runs)]" : `k + ${depth}u`,
    )
    : { setUp: "", step: "", end: "" };
  const turn = `${a.step}\n${touch.step}\n${b.step}\n${multiply}`;
  const loop = sparse
    ? `  let listAt = p.listStart + row0 / ${rows}u * p.listStride;
  let runs = list[listAt];
  for (var run = 1u; run <= runs; run++) {
  let k = list[listAt + run];\n${turn}\n  }`
    : `  for (var k = p.kStart; k < kEnd; k += ${depth}u) {\n${turn}\n  }`;
  return `
${a.declare}
@group(0) @binding(2) var<storage, read> b: ${arrayOf(b.unit, loads.wide)};
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;
${scales}
${list}
@compute @workgroup_size(${subgroup})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let row0 = p.rowStart + wg.y * ${rows}u;
  let col0 = wg.x * ${tile.cols}u + lane * ${columns}u;
  let kEnd = p.kEnd;
  let lastK = kEnd - 1u;
${a.setUp}
${b.setUp}
${touch.setUp}
${lines(rows, (i) => `  var ${range(columns).map((j) => `acc${i}_${j} = 0.0;`).join(" var ")}`)}
  if (ACCUMULATE) {
${each((i, q) => `    if (${inside(i, q)}) { let o = ${place(i, q)}; ${old(i, q)} }`)}
  }
${loop}
${touch.end}
${each((i, q) => `  if (${inside(i, q)}) { ${place(i, q)} = vec4<f32>(${four(i, q)}); }`)}
}`;
}
