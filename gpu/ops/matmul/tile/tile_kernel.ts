import { lines, range, xyzw } from "../../wgsl/text.ts";
import { isByPanels } from "../../../panels.ts";
import { isQuantised } from "../../../quantised.ts";
import { NORM_LANES } from "../../norm/norm_lanes.ts";
import { gpuPrologue } from "../gpu_prologue.ts";
import { loadVec4 } from "../load_vec4.ts";
import { matrixC } from "./matrix_c.ts";
import {
  type Aligned,
  type BType,
  type MatmulVariant,
  type Product,
  SEGMENT,
  type Tile,
} from "../variant.ts";

/** How a tile of an operand lies in workgroup memory: `stride` vectors of four a term. */
interface Stage {
  name: "A" | "B";
  /** Rows or columns of the tile. */
  width: number;
  /** Whether memory runs along k: then it is transposed on the way. */
  alongK: boolean;
  stride: number;
}

// What is transposed gets one more vector a term: the four terms that a thread writes then lie in different banks.
const stageOf = (name: Stage["name"], width: number, alongK: boolean): Stage => ({
  name,
  width,
  alongK,
  stride: width / 4 + (alongK ? 1 : 0),
});

const stages = (kind: Product, tile: Tile): [Stage, Stage] => [
  stageOf("A", tile.rows, kind !== "tn"),
  stageOf("B", tile.cols, kind === "nt"),
];

/** Threads of a workgroup of a tile. */
export const tileThreads = ({ rows, cols, perThread }: Tile): number => rows * cols / perThread ** 2;

/** Bytes of workgroup memory that a tile takes. */
export const tileBytes = (kind: Product, tile: Tile): number =>
  stages(kind, tile).reduce((sum, { stride }) => sum + stride * tile.depth * 16, 0);

/** Rows whose squares a norm's prologue sums at a time: as many as give all threads work. */
export const rowsTogether = (tile: Tile): number => Math.max(1, tileThreads(tile) / NORM_LANES);

/**
 * For real GPUs, any size: tiles of A and B [depth, rows or cols] staged in workgroup memory, a square of 4x4 or 8x8
 * outputs a thread in vectors of four columns. Sums in the order that {@link SEGMENT} tells. `sparse`: only the k-steps
 * of `depth` terms in the row tile's list, [count, first term of each].
 */
export function tileKernel(variant: MatmulVariant, aligned: Aligned): string {
  const { kind, bType, tile, sparse, parted, prologue: fused } = variant;
  const { cols, perThread, depth } = tile;
  const [a, b] = stages(kind, tile);
  const threads = tileThreads(tile);
  const quads = perThread / 4; // vectors of four on the edge of a thread's square
  const [tx, ty] = [cols / perThread, tile.rows / perThread]; // threads along columns and rows
  const each = (make: (i: number, q: number) => string) =>
    lines(perThread, (i) => range(quads).map((q) => make(i, q)).join(" "));
  const row = (i: number) => `row0 + (${Math.floor(i / 4) * ty}u + y) * 4u + ${i % 4}u`;
  const col = (q: number) => `col0 + (${q * tx}u + x) * 4u`;
  const segment = SEGMENT[kind];
  const add = segment ? each((i, q) => `    total${i}_${q} += acc${i}_${q};`) : "";
  const clear = each((i, q) => `    acc${i}_${q} = vec4<f32>();`);
  const staged = [stageCode(a, threads, depth), stageCode(b, threads, depth)];
  // Loads first, so that all are under way together.
  const step = `
${staged.map(({ load }) => load).join("\n")}
${staged.map(({ store }) => store).join("\n")}
    workgroupBarrier();
    for (var kk = 0u; kk < ${depth}u; kk++) {
${lines(quads, (q) => `      let a${q} = sA[kk * ${a.stride}u + ${q * ty}u + y];`)}
${lines(quads, (q) => `      let b${q} = sB[kk * ${b.stride}u + ${q * tx}u + x];`)}
${
    each((i, q) =>
      `      acc${i}_${q} = fma(vec4<f32>(a${Math.floor(i / 4)}.${xyzw[i % 4]}), b${q}, acc${i}_${q});`
    )
  }
    }
    workgroupBarrier();`;
  const total = segment ? "total" : "acc";
  const prologue = fused &&
    gpuPrologue(fused, bType, { rows: tile.rows, together: rowsTogether(tile), threads });
  const madeA = prologue &&
    ((value: string, index: string, line: string, at: string) =>
      ` let beside = ${prologue.beside(index, at)}; values = ${
        prologue.make(value, "beside", `(${line} - p.rowStart) % ${tile.rows}u`)
      };`);
  return `${prologue?.declare ?? ""}
${loadVec4(kind, bType, aligned, madeA)}
${matrixC(aligned.c, parted === true)}
${sparse ? `@group(0) @binding(${isQuantised(bType) ? 5 : 4}) var<storage, read> list: array<u32>;` : ""}
var<workgroup> sA: array<vec4<f32>, ${a.stride * depth}>;
var<workgroup> sB: array<vec4<f32>, ${b.stride * depth}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
${parted ? "  part = wg.z;" : ""}
  let row0 = p.rowStart + wg.y * ${tile.rows}u;
  let col0 = wg.x * ${cols}u;
  let y = thread / ${tx}u;
  let x = thread % ${tx}u;
${prologue?.begin ?? ""}
${segment ? each((i, q) => `  var total${i}_${q} = vec4<f32>();`) : ""}
${each((i, q) => `  var acc${i}_${q} = vec4<f32>();`)}
  if (ACCUMULATE) {
${each((i, q) => `    ${total}${i}_${q} = readC(${row(i)}, ${col(q)});`)}
  }
${
    parted
      ? chain("p.kStart + wg.z * p.span", "min(p.kEnd, p.kStart + (wg.z + 1u) * p.span)", depth, step)
      : loop(segment, depth, sparse === true, { step, add, clear })
  }
${each((i, q) => `  writeC(${row(i)}, ${col(q)}, ${total}${i}_${q});`)}
}`;
}

/** The loop over the k-steps of one chain. */
const chain = (start: string, end: string, depth: number, step: string): string =>
  `  for (var k0 = ${start}; k0 < ${end}; k0 += ${depth}u) {${step}\n  }`;

/** The loops over segments and k-steps; of a sparse product over the listed steps, a segment ending where the next is another. */
function loop(
  segment: number | undefined,
  depth: number,
  sparse: boolean,
  { step, add, clear }: Record<"step" | "add" | "clear", string>,
): string {
  if (!segment) return chain("p.kStart", "p.kEnd", depth, step);
  if (sparse) {
    // Both the first step and the end add a sum: what is 0 does not change, but -0 as in a dense product.
    return `  let listAt = p.listStart + wg.y * p.listStride;
  let kSteps = list[listAt];
  var segment = 0xffffffffu;
  for (var kStep = 1u; kStep <= kSteps; kStep++) {
    let k0 = list[listAt + kStep];
    if (k0 / ${segment}u != segment) {
      segment = k0 / ${segment}u;
${add}
${clear}
    }
${step}
  }
${add}`;
  }
  return `  for (var start = p.kStart; start < p.kEnd; start += ${segment}u) {
    let end = min(start + ${segment}u, p.kEnd);
${clear}
    for (var k0 = start; k0 < end; k0 += ${depth}u) {${step}
    }
${add}
  }`;
}

/** Brings a tile of an operand to workgroup memory: neighbouring threads read neighbouring vec4s. */
function stageCode({ name, width, alongK, stride }: Stage, threads: number, depth: number) {
  const count = width * depth / 4;
  const along = (alongK ? depth : width) / 4;
  const origin = name === "A" ? "row0" : "col0";
  const partly = (i: number) => (i + 1) * threads > count;
  const own = (i: number) => `thread + ${i * threads}u`;
  const load = (i: number) => {
    const id = `i${name}${i}`;
    const line = `${id} / ${along}u`;
    const at = `${id} % ${along}u * 4u`;
    return `    let ${id} = ${partly(i) ? `min(${own(i)}, ${count - 1}u)` : own(i)};
    let values${name}${i} = load${name}4(${
      alongK ? `${origin} + ${line}, k0 + ${at}` : `k0 + ${line}, ${origin} + ${at}`
    });`;
  };
  const store = (i: number) => {
    const id = `i${name}${i}`;
    const to = (e: number) =>
      `s${name}[(${id} % ${along}u * 4u + ${e}u) * ${stride}u + ${id} / ${
        along * 4
      }u][(${id} / ${along}u) & 3u]`;
    const body = alongK
      ? xyzw.map((c, e) => `${to(e)} = values${name}${i}.${c};`).join(" ")
      : `s${name}[${id} / ${along}u * ${stride}u + ${id} % ${along}u] = values${name}${i};`;
    return `    ${partly(i) ? `if (${own(i)} < ${count}u) ` : ""}{ ${body} }`;
  };
  const pieces = Math.ceil(count / threads);
  return { load: lines(pieces, load), store: lines(pieces, store) };
}

/** Whether a product's numbers may be read as vec4s. */
export function vec4Aligned(
  kind: Product,
  bType: BType,
  { m, n, k, lda, ldb, ldc, aOff, bOff, cOff }: Record<
    "m" | "n" | "k" | "lda" | "ldb" | "ldc" | "aOff" | "bOff" | "cOff",
    number
  >,
): Aligned {
  const all = (...values: number[]) => values.every((value) => value % 4 === 0);
  return {
    a: all(lda, aOff, kind === "tn" ? m : k),
    b: isByPanels(bType) || all(ldb, bOff, kind === "nt" ? k : n),
    c: all(n, ldc, cOff),
  };
}
