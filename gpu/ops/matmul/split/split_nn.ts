import { comp, lines, range } from "../../wgsl/text.ts";
import type { KernelSource } from "../../../kernel.ts";
import { isQuantised } from "../../../quantised.ts";
import { loadVec4 } from "../load_vec4.ts";
import { type Aligned, type MatmulVariant, SEGMENT, SPARSE_RUN, type Tile } from "../variant.ts";

/** Bytes of workgroup memory: the rows of A of a segment. */
export const segmentBytes = ({ rows }: Tile): number =>
  SEGMENT.nn * 4 * Math.max(1, rows) + SEGMENT.nn / SPARSE_RUN * 4;

/** Threads of a workgroup: four columns each. */
export const segmentThreads = ({ cols }: Tile): number => cols / 4;

/**
 * First half of C[m, n] (+)= A[m, k] W[k, n] for few rows on real GPUs: sums[segment, m, n], each one chain of fused
 * multiply-adds over the 256 terms of a segment, from 0. A workgroup has one segment, up to 8 rows and `cols` columns, four a thread, which
 * its neighbours continue; it holds A's terms in its memory. `sparse`: runs of 8 terms that are 0 in all rows are not read,
 * and of a segment of zeros nothing is written but used[segment, group of rows] = 0.
 */
export function splitNN({ kind, store, tile, sparse }: MatmulVariant, aligned: Aligned): string {
  const { rows } = tile;
  const threads = segmentThreads(tile);
  const vectors = Math.ceil(rows / 4);
  const type = rows === 1 ? "f32" : `vec${Math.min(rows, 4)}<f32>`;
  const component = (r: number) => rows === 1 ? "" : `.${comp[r % 4]}`;
  const vec4s = SEGMENT.nn / 4;
  const runs = SEGMENT.nn / SPARSE_RUN;
  const stage = lines(Math.ceil(rows * vec4s / threads), (i) => {
    const guard = (i + 1) * threads > rows * vec4s ? `if (i < ${rows * vec4s}u) ` : "";
    const to = (e: number) => `sa[(at * 4u + ${e}u) * ${vectors}u + r / 4u]${rows === 1 ? "" : "[r % 4u]"}`;
    return `  { let i = thread + ${i * threads}u; ${guard}{ let at = i % ${vec4s}u; let r = i / ${vec4s}u;
    let four = loadA4(row0 + r, start + at * 4u); ${
      comp.map((c, e) => `${to(e)} = four.${c};`).join(" ")
    } } }`;
  });
  // Both zeros count as none: all bits but the sign.
  const bits = lines(
    SPARSE_RUN * vectors,
    (i) =>
      `    { let v = bitcast<${type.replace("f32", "u32")}>(sa[run * ${
        SPARSE_RUN * vectors
      }u + ${i}u]); bits |= ${range(Math.min(rows, 4)).map((r) => `v${component(r)}`).join(" | ")}; }`,
  );
  const findActive = `
  for (var run = thread; run < ${runs}u; run += ${threads}u) {
    var bits = 0u;
${bits}
    active_runs[run] = bits << 1u;
  }
  workgroupBarrier();
  var seen = 0u;`;
  const next = isQuantised(store) ? 5 : 4;
  return `${loadVec4(kind, store, aligned)}
@group(0) @binding(3) var<storage, read_write> sums: array<vec4<f32>>;
${sparse ? `@group(0) @binding(${next}) var<storage, read_write> used: array<u32>;` : ""}
var<workgroup> sa: array<${type}, ${SEGMENT.nn * vectors}>;
${sparse ? `var<workgroup> active_runs: array<u32, ${runs}>;` : ""}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row0 = wg.z * ${rows}u;
  let start = p.kStart + wg.y * ${SEGMENT.nn}u;
  let col = wg.x * ${tile.cols}u + thread * 4u;
${stage}
  workgroupBarrier();${sparse ? findActive : ""}
${lines(rows, (r) => `  var acc${r} = vec4<f32>();`)}
  let count = (min(p.kEnd - start, ${SEGMENT.nn}u) + ${SPARSE_RUN - 1}u) / ${SPARSE_RUN}u;
  for (var run = 0u; run < count; run++) {
${sparse ? "    if (active_runs[run] == 0u) { continue; }\n    seen = 1u;" : ""}
    let k = run * ${SPARSE_RUN}u;
${lines(SPARSE_RUN, (e) => `    let b${e} = loadB4(start + k + ${e}u, col);`)}
${
    lines(SPARSE_RUN, (e) =>
      lines(vectors, (v) =>
        `    let a${e}_${v} = sa[(k + ${e}u) * ${vectors}u + ${v}u];`) +
      "\n" +
      lines(
        rows,
        (r) => `    acc${r} = fma(vec4<f32>(a${e}_${Math.floor(r / 4)}${component(r)}), b${e}, acc${r});`,
      ))
  }
  }
${
    sparse
      ? "  if (wg.x == 0u && thread == 0u) { used[wg.y * grid.z + wg.z] = seen; }\n  if (seen == 0u) { return; }"
      : ""
  }
${
    lines(rows, (r) =>
      `  if (row0 + ${r}u < p.m && col < p.n) { sums[((wg.y * p.m + row0 + ${r}u) * p.n + col) >> 2u] = acc${r}; }`)
  }
}`;
}

const COLUMNS = 32;
const LOADERS = 8;
const EACH = 8;

/**
 * Second half: C[m, n] (+)= the sums of segments in ascending order. One thread adds up a column, and 256 bring it 64
 * segments at a time, since loads one after another would take longer than the product.
 */
export function addSegments(accumulate: boolean, sparse: boolean): KernelSource {
  const block = LOADERS * EACH;
  const load = (i: number) =>
    `    { let segment = start + loader * ${EACH}u + ${i}u;
      var value = 0.0;
      if (segment < p.segments && col < p.n${
      sparse ? " && used[segment * p.groups + wg.y / p.rows] != 0u" : ""
    }) {
        value = sums[(segment * p.m + wg.y) * p.n + col];
      }
      staged[(loader * ${EACH}u + ${i}u) * ${COLUMNS}u + lane] = value; }`;
  return {
    label: `matmul_add_segments${sparse ? "_sparse" : ""}${accumulate ? "_add" : ""}`,
    code: () => `
struct Params { m: u32, n: u32, ldc: u32, cOff: u32, segments: u32, rows: u32, groups: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
${sparse ? "@group(0) @binding(3) var<storage, read> used: array<u32>;" : ""}
var<workgroup> staged: array<f32, ${block * COLUMNS}>;
@compute @workgroup_size(${COLUMNS * LOADERS})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let lane = thread % ${COLUMNS}u;
  let loader = thread / ${COLUMNS}u;
  let col = wg.x * ${COLUMNS}u + lane;
  let place = p.cOff + wg.y * p.ldc + col;
  let mine = loader == 0u && col < p.n;
  var total = 0.0;
  ${accumulate ? "if (mine) { total = c[place]; }" : ""}
  for (var start = 0u; start < p.segments; start += ${block}u) {
${lines(EACH, load)}
    workgroupBarrier();
    if (loader == 0u) {
      for (var i = 0u; i < min(${block}u, p.segments - start); i++) { total += staged[i * ${COLUMNS}u + lane]; }
    }
    workgroupBarrier();
  }
  if (mine) { c[place] = total; }
}`,
  };
}

/** Columns of a workgroup of {@link addSegments}. */
export const ADDED_COLUMNS = COLUMNS;
