import { lines, range, xyzw } from "../../wgsl/text.ts";
import { isQuantised } from "../../../quantised.ts";
import { loadVec4 } from "../load_vec4.ts";
import { type Aligned, type MatmulVariant, SEGMENT, SPARSE_STEP, type Tile } from "../variant.ts";

/** Bytes of workgroup memory that split sums take, `nn`: the rows of A of a segment. */
export const splitBytesNN = ({ rows }: Tile): number =>
  SEGMENT.nn * 4 * Math.max(1, rows) + SEGMENT.nn / SPARSE_STEP * 4;

/** Threads of a workgroup: four columns each. */
export const splitThreadsNN = ({ cols }: Tile): number => cols / 4;

/**
 * First half of C[m, n] (+)= A[m, k] W[k, n] for few rows on real GPUs (split-k): sums[segment, m, n], each one chain of fused
 * multiply-adds over the 256 terms of a segment, from 0. A workgroup has one segment, up to 8 rows and `cols` columns, four a
 * thread, which its neighbours continue; it holds A's terms in its memory. `sparse`: steps of 8 terms that are 0 in all rows
 * are not read, and of a segment of zeros nothing is written but used[segment, group of rows] = 0.
 */
export function splitNN({ kind, bType, tile, sparse }: MatmulVariant, aligned: Aligned): string {
  const { rows } = tile;
  const threads = splitThreadsNN(tile);
  const vectors = Math.ceil(rows / 4);
  const type = rows === 1 ? "f32" : `vec${Math.min(rows, 4)}<f32>`;
  const component = (r: number) => rows === 1 ? "" : `.${xyzw[r % 4]}`;
  const vec4s = SEGMENT.nn / 4;
  const steps = SEGMENT.nn / SPARSE_STEP;
  const stage = lines(Math.ceil(rows * vec4s / threads), (i) => {
    const guard = (i + 1) * threads > rows * vec4s ? `if (i < ${rows * vec4s}u) ` : "";
    const to = (e: number) => `sa[(at * 4u + ${e}u) * ${vectors}u + r / 4u]${rows === 1 ? "" : "[r % 4u]"}`;
    return `  { let i = thread + ${i * threads}u; ${guard}{ let at = i % ${vec4s}u; let r = i / ${vec4s}u;
    let values = loadA4(row0 + r, start + at * 4u); ${
      xyzw.map((c, e) => `${to(e)} = values.${c};`).join(" ")
    } } }`;
  });
  // Both zeros count as none: all bits but the sign.
  const bits = lines(
    SPARSE_STEP * vectors,
    (i) =>
      `    { let v = bitcast<${type.replace("f32", "u32")}>(sa[kStep * ${
        SPARSE_STEP * vectors
      }u + ${i}u]); bits |= ${range(Math.min(rows, 4)).map((r) => `v${component(r)}`).join(" | ")}; }`,
  );
  const findActive = `
  for (var kStep = thread; kStep < ${steps}u; kStep += ${threads}u) {
    var bits = 0u;
${bits}
    activeSteps[kStep] = bits << 1u;
  }
  workgroupBarrier();
  var seen = 0u;`;
  const next = isQuantised(bType) ? 5 : 4;
  return `${loadVec4(kind, bType, aligned)}
@group(0) @binding(3) var<storage, read_write> sums: array<vec4<f32>>;
${sparse ? `@group(0) @binding(${next}) var<storage, read_write> used: array<u32>;` : ""}
var<workgroup> sa: array<${type}, ${SEGMENT.nn * vectors}>;
${sparse ? `var<workgroup> activeSteps: array<u32, ${steps}>;` : ""}
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
  let count = (min(p.kEnd - start, ${SEGMENT.nn}u) + ${SPARSE_STEP - 1}u) / ${SPARSE_STEP}u;
  for (var kStep = 0u; kStep < count; kStep++) {
${sparse ? "    if (activeSteps[kStep] == 0u) { continue; }\n    seen = 1u;" : ""}
    let k = kStep * ${SPARSE_STEP}u;
${lines(SPARSE_STEP, (e) => `    let b${e} = loadB4(start + k + ${e}u, col);`)}
${
    lines(SPARSE_STEP, (e) =>
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
