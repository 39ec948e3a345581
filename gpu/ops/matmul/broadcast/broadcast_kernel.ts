import { lines, range } from "../../wgsl/text.ts";
import { isQuantised } from "../../../quantised.ts";
import { arrayOf } from "../../wgsl/load_words.ts";
import {
  columnsOfB,
  type Operand,
  operandA,
  type OperandB,
  rowsOfB,
  scaleUnit,
  touchRows,
} from "./operands.ts";
import { resultAccess } from "./results.ts";
import type { Loads, MatmulVariant, Tile } from "../variant.ts";

/** Columns of C whose sums are advanced together: few enough to stay in registers beside A's numbers. */
const TOGETHER = 4;

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
  const from = variant.input && { input: variant.input, binding: isQuantised(store) ? 5 : 4 };
  const a = operandA(kind, tile, loads, subgroup, from);
  const b = kind === "nt" ? columnsOfB(store, tile, loads) : rowsOfB(kind, store, tile, loads);
  const scaleCount = kind === "nt" ? columns : depth;
  const scales = isQuantised(store)
    ? `@group(0) @binding(4) var<storage, read> s: ${
      arrayOf(scaleUnit(store, scaleCount, loads.u64), loads.u64)
    };`
    : "";
  const multiply = multiplyAll(a, b, tile);
  const c = resultAccess(loads);
  const each = (make: (i: number, q: number) => string) =>
    lines(rows, (i) => lines(columns / loads.c, (q) => make(i, q)));
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
      loads.u64,
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
@group(0) @binding(2) var<storage, read> b: ${arrayOf(b.unit, loads.u64)};
@group(0) @binding(3) var<storage, read_write> c: array<${c.type}>;
${scales}
${list}
@compute @workgroup_size(${subgroup})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let row0 = p.rowStart + wg.y * ${rows}u;
  let col0 = wg.x * ${tile.cols}u + lane * ${columns}u;
  let kEnd = p.kEnd;
  let lastK = kEnd - 1u;
${c.setUp}
${a.setUp}
${b.setUp}
${touch.setUp}
${lines(rows, (i) => `  var ${range(columns).map((j) => `acc${i}_${j} = 0.0;`).join(" var ")}`)}
  if (ACCUMULATE) {
${each(c.load)}
  }
${loop}
${touch.end}
${each(c.store)}
}`;
}
