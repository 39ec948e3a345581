import { lines, range } from "../../wgsl/text.ts";
import { isQuantised } from "../../../quantised.ts";
import { wordArray } from "../../wgsl/load_words.ts";
import { type OperandA, operandA } from "./operand_a.ts";
import { columnsOfB, type OperandB, rowsOfB } from "./operand_b.ts";
import { operandC } from "./operand_c.ts";
import { prefetchRows } from "./prefetch.ts";
import { scaleUnit } from "./scale_loads.ts";
import type { Loads, MatmulVariant, Tile } from "../variant.ts";

/** Columns of C whose sums are advanced through a k-step together: few enough to stay in registers beside A's numbers. */
const COLUMNS_AT_ONCE = 4;

/**
 * The products of a k-step. A few sums at a time, each through the whole step: the software device's compiler has far fewer
 * registers than there are sums, and spills each once a step. Scalars, since vectors would be spilled more often.
 */
function multiplyAll(a: OperandA, b: OperandB, { rows, perThread: columns, depth }: Tile): string {
  const broadcasts = (i: number) => lines(depth, (kk) => `    let s${i}_${kk} = ${a.value(i, kk)};`);
  const add = (i: number, j: number, kk: number, value: string) =>
    `    acc${i}_${j} = fma(s${i}_${kk}, ${value}, acc${i}_${j});`;
  const sums = (each: (j: number, kk: number) => string) =>
    lines(
      columns / COLUMNS_AT_ONCE,
      (q) => lines(depth, (kk) => lines(COLUMNS_AT_ONCE, (e) => each(q * COLUMNS_AT_ONCE + e, kk))),
    );
  if (!b.inline) {
    return lines(rows, (i) => `${broadcasts(i)}\n${sums((j, kk) => add(i, j, kk, b.value(j, kk)))}`);
  }
  const unpacked = (j: number, kk: number) =>
    `    let b${kk}_${j} = ${b.value(j, kk)};\n${lines(rows, (i) => add(i, j, kk, `b${kk}_${j}`))}`;
  return `${lines(rows, broadcasts)}\n${sums(unpacked)}`;
}

/**
 * One subgroup computes `rows` x (S * perThread) outputs, `depth` terms a k-step. A's vectors are loaded one a lane and
 * handed to all by subgroupBroadcast with constant lanes; B is read once by the lane that owns the column. No shared
 * memory. On the software device a load of eight lanes costs as much as some fifty multiplications, whether it takes
 * 4 bytes or 32: hence the widest loads that alignment allows.
 */
export function broadcastKernel(variant: MatmulVariant, loads: Loads, subgroup: number): string {
  const { kind, bType, tile, sparse, prologue } = variant;
  const { rows, perThread: columns, depth } = tile;
  const next = isQuantised(bType) ? 5 : 4; // the binding after the scales
  const fused = prologue && { prologue, binding: next };
  const a = operandA(kind, tile, loads, subgroup, fused);
  const b = kind === "nt" ? columnsOfB(bType, tile, loads) : rowsOfB(kind, bType, tile, loads);
  const scaleCount = kind === "nt" ? columns : depth;
  const scales = isQuantised(bType)
    ? `@group(0) @binding(4) var<storage, read> s: ${
      wordArray(scaleUnit(bType, scaleCount, loads.u64), loads.u64)
    };`
    : "";
  const multiply = multiplyAll(a, b, tile);
  const c = operandC(loads);
  const each = (make: (i: number, q: number) => string) =>
    lines(rows, (i) => lines(columns / loads.c, (q) => make(i, q)));
  // The list of a tile of rows: how many k-steps, then the first term of each, ascending.
  const list = sparse ? `@group(0) @binding(${next}) var<storage, read> list: array<u32>;` : "";
  const prefetch = variant.prefetch
    ? prefetchRows(
      bType,
      tile,
      b.unit,
      subgroup,
      loads.u64,
      sparse ? "list[listAt + min(kStep + 1u, kSteps)]" : `k + ${depth}u`,
    )
    : { setUp: "", step: "", end: "" };
  const step = `${a.step}\n${prefetch.step}\n${b.step}\n${multiply}`;
  const loop = sparse
    ? `  let listAt = p.listStart + row0 / ${rows}u * p.listStride;
  let kSteps = list[listAt];
  for (var kStep = 1u; kStep <= kSteps; kStep++) {
  let k = list[listAt + kStep];\n${step}\n  }`
    : `  for (var k = p.kStart; k < kEnd; k += ${depth}u) {\n${step}\n  }`;
  return `
${a.declare}
@group(0) @binding(2) var<storage, read> b: ${wordArray(b.unit, loads.u64)};
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
${prefetch.setUp}
${lines(rows, (i) => `  var ${range(columns).map((j) => `acc${i}_${j} = 0.0;`).join(" var ")}`)}
  if (ACCUMULATE) {
${each(c.load)}
  }
${loop}
${prefetch.end}
${each(c.store)}
}`;
}
