import { lines, range, xyzw } from "../../wgsl/text.ts";
import { INTERLEAVE } from "../../../panels.ts";
import {
  BLOCK,
  isQuantised,
  type QuantType,
  SCALE_AT,
  scaleFactor,
  scaleIndex,
  unpackWeight,
} from "../../../quantised.ts";
import { type BType, type MatmulVariant, SEGMENT } from "../variant.ts";
import { gpuPrologue } from "../gpu_prologue.ts";
import { sumByShuffle, sumThroughMemory } from "./sum_segments.ts";
import { type Layout, splitLayout } from "./split_layout.ts";
import { stageA, stageB } from "./stage.ts";

/**
 * C[m, n] (+)= A[m, k] W[n, k]^T for few rows on real GPUs: a matrix-vector product with its sum split (split-k). A workgroup
 * has up to 8 rows and `cols` columns; a thread sums one segment of 64 terms of `perThread` columns for all rows, `depth`
 * segments at a time.
 * W's rows are read along k by neighbouring threads and staged in workgroup memory as they are packed, since a thread's own
 * segment would be a stride of 64 terms from its neighbour's.
 *
 * With a prologue, A is made as it is staged: again in every workgroup, which is little beside its share of W. A product of low
 * rank is added by the thread that writes an output: its terms are few, and what it is made from lies in caches.
 *
 * Order: each segment is one chain of fused multiply-adds from 0; segments are added in ascending order, from the old
 * value if there is one. A tree would be shorter, but not what the tiles of many rows can do beside their sums. Each
 * output is added up by one thread from workgroup memory, or, `shuffle`, by every lane from the lanes of its subgroup,
 * one after another: the order of segments, whatever the size of the subgroup.
 */
export function splitNT({ bType, tile, prologue: fused, lowRank }: MatmulVariant): string {
  const l = splitLayout(bType, tile);
  const prologue = fused && gpuPrologue(fused, bType, { rows: l.rows, together: l.rows, threads: l.threads });
  const segment = SEGMENT.nt;
  const rowVector = l.rows === 1 ? "f32" : `vec${Math.min(l.rows, 4)}<f32>`;
  const each = (make: (j: number, v: number) => string) =>
    lines(l.perThread, (j) => range(l.vectors).map((v) => make(j, v)).join(" "));
  const sum = tile.shuffle ? sumByShuffle(l, rowVector) : sumThroughMemory(l);
  const quantised = isQuantised(bType);
  const next = 4 + (quantised ? 1 : 0) + (fused && fused !== "swiglu" ? 1 : 0);
  const [a, b] = [stageA(l, prologue), stageB(bType, l)];
  return `
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<${l.unit === 1 ? "u32" : `vec${l.unit}<u32>`}>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
${quantised ? SCALE_AT : ""}
${prologue?.declare ?? ""}
var<workgroup> sa: array<${rowVector}, ${l.segments * l.strideA}>;
var<workgroup> sb: array<u32, ${l.sizeB}>;
${endOf(lowRank ? next : undefined)}
fn indexC(row: u32, col: u32) -> u32 { return p.cOff + row * p.ldc + col; }
fn old(row: u32, col: u32) -> f32 {
  var value = 0.0;
  if (ACCUMULATE && row < p.m && col < p.n) { value = c[indexC(row, col)]; }
  return value;
}
@compute @workgroup_size(${l.threads})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>${sum.builtins}) {
${sum.thread}
  let segment = thread % ${l.segments}u;
  let group = thread / ${l.segments}u;
  let col0 = (wg.y * grid.x + wg.x) * ${l.cols}u;
  let row0 = wg.z * ${l.rows}u;
${prologue?.begin ?? ""}
${sum.begin}
  for (var start = p.kStart; start < p.kEnd; start += ${l.segments * segment}u) {
${each((j, v) => `    var acc${j}_${v} = ${rowVector}();`)}
    for (var part = 0u; part < ${segment}u; part += ${l.terms}u) {
${a.load}
${b.load}
${a.store}
${b.store}
${quantised ? loadScales(bType, l) : ""}
      workgroupBarrier();
${multiply(bType, l, rowVector)}
      workgroupBarrier();
    }
    let count = min(${l.segments}u, (p.kEnd - start + ${segment - 1}u) / ${segment}u);
${sum.add}
  }
${sum.end}
}`;
}

/** Scales of the thread's columns: a part is a block. Past the last term those of the last block, which meet zeros. */
function loadScales(bType: QuantType, { perThread }: Layout): string {
  const one = (j: number) => {
    const at = `at${j}`;
    const min = bType === "q4_1" ? ` let min${j} = scaleAt(${at} + ${INTERLEAVE}u);` : "";
    const col = `min(col0 + group * ${perThread}u + ${j}u, p.n - 1u)`;
    return `      let ${at} = ${scaleIndex(bType, col, "block", "p.ldb")};
      let scale${j} = scaleAt(${at})${scaleFactor(bType)};${min}`;
  };
  return `      let block = min(start + segment * ${SEGMENT.nt}u + part, p.kEnd - 1u) / ${BLOCK}u;
${lines(perThread, one)}`;
}

/** The thread's segment, a word of each column at a time. */
function multiply(bType: BType, l: Layout, rowVector: string): string {
  const word = (j: number) =>
    `        let w${j} = sb[((group * ${l.perThread}u + ${j}u) * ${l.segments}u + segment) * ${l.strideB}u + w];`;
  const value = (j: number, e: number) =>
    isQuantised(bType)
      ? unpackWeight(bType, [`w${j}`], e, `scale${j}`, `min${j}`)
      : bType === "f16"
      ? `unpack2x16float(w${j}).${xyzw[e]}`
      : `bitcast<f32>(w${j})`;
  const term = (e: number) =>
    lines(
      l.vectors,
      (v) =>
        `        let a${e}_${v} = sa[segment * ${l.strideA}u + (w * ${l.perWord}u + ${e}u) * ${l.vectors}u + ${v}u];`,
    ) +
    "\n" +
    lines(l.perThread, (j) =>
      `        let b${e}_${j} = ${rowVector}(${value(j, e)});\n` +
      lines(l.vectors, (v) => `        acc${j}_${v} = fma(a${e}_${v}, b${e}_${j}, acc${j}_${v});`));
  return `      for (var w = 0u; w < ${l.words}u; w++) {
${lines(l.perThread, word)}
${lines(l.perWord, term)}
      }`;
}

/**
 * WGSL of `ended(total, row, col)`, what is written of an output: its sum, or the sum and, in the order of a product that adds to it,
 * the product of low rank, of bindings `next` on.
 */
function endOf(next: number | undefined): string {
  if (next === undefined) return "fn ended(total: f32, row: u32, col: u32) -> f32 { return total; }";
  return `@group(0) @binding(${next}) var<storage, read> u: array<f32>; // [m, rank]
@group(0) @binding(${next + 1}) var<storage, read> blocks: array<f32>; // [n, rank]
fn ended(total: f32, row: u32, col: u32) -> f32 {
  var sum = total;
  for (var start = 0u; start < p.rank; start += ${SEGMENT.nt}u) {
    var part = 0.0;
    for (var t = start; t < min(start + ${SEGMENT.nt}u, p.rank); t++) {
      part = fma(u[row * p.rank + t], blocks[col * p.rank + t], part);
    }
    sum += part;
  }
  return sum;
}`;
}
