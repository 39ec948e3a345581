import { lines, range } from "../../wgsl/text.ts";
import { wordArray } from "../../wgsl/load_words.ts";
import { operandA } from "./operand_a.ts";
import { columnsOfB, rowsOfB } from "./operand_b.ts";
import { operandC } from "./operand_c.ts";
import type { Loads, MatmulVariant } from "../variant.ts";

/**
 * A product of so few terms (the tile's depth, all there are) that a subgroup holds its columns of B for all of them: one
 * subgroup computes `rows` x (S * perThread) outputs, `rowsAtOnce` of them at a time. B is loaded once, of A each number, and a
 * sum stays in its register from its first term to the last. The sums are those of `broadcastKernel`, term by term.
 */
export function stationaryKernel(
  { kind, bType, tile }: MatmulVariant,
  loads: Loads,
  subgroup: number,
): string {
  const { perThread: columns, depth } = tile;
  const rows = rowsAtOnce(kind, depth * columns);
  const part = { ...tile, rows };
  const a = operandA(kind, part, loads, subgroup);
  const b = kind === "nt" ? columnsOfB(bType, part, loads) : rowsOfB(kind, bType, part, loads);
  const c = operandC(loads);
  const each = (make: (i: number, q: number) => string) =>
    lines(rows, (i) => lines(columns / loads.c, (q) => make(i, q)));
  const multiply = (i: number) =>
    lines(depth, (kk) =>
      `    let s${i}_${kk} = ${a.value(i, kk)};` +
      range(columns).map((j) => ` acc${i}_${j} = fma(s${i}_${kk}, ${b.value(j, kk)}, acc${i}_${j});`).join(
        "",
      ));
  return `
${a.declare}
@group(0) @binding(2) var<storage, read> b: ${wordArray(b.unit, loads.u64)};
@group(0) @binding(3) var<storage, read_write> c: array<${c.type}>;
@compute @workgroup_size(${subgroup})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let col0 = wg.x * ${tile.cols}u + lane * ${columns}u;
  let k = p.kStart;
  let lastK = p.kEnd - 1u;
${c.setUp}
${b.setUp}
${b.step}
  let firstRow = p.rowStart + wg.y * ${tile.rows}u;
  for (var row0 = firstRow; row0 < min(firstRow + ${tile.rows}u, p.m); row0 += ${rows}u) {
${a.setUp}
${a.step}
${lines(rows, (i) => `  var ${range(columns).map((j) => `acc${i}_${j} = 0.0;`).join(" var ")}`)}
  if (ACCUMULATE) {
${each(c.load)}
  }
${lines(rows, multiply)}
${each(c.store)}
  }
}`;
}

/**
 * Rows of one iteration, which divide those of a workgroup: as many as keep its text within the first cache of instructions;
 * of A transposed, those of a load.
 */
const rowsAtOnce = (kind: MatmulVariant["kind"], ofRow: number): number =>
  kind === "tn" ? 4 : [4, 2].find((rows) => rows * ofRow <= MOST_SUMMED) ?? 1;

// Multiply-adds of an iteration.
const MOST_SUMMED = 1280;
