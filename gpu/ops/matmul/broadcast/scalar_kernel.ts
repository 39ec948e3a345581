import { lines } from "../../wgsl/text.ts";
import { halfFunction, isByPanels } from "../../../panels.ts";
import { isQuantised, weightFunction } from "../../../quantised.ts";
import type { BType, Product, Tile } from "../variant.ts";

/** Scalar accessors that read any layout and any alignment: `loadA(row, k)` and `loadB(k, col)`. */
function scalarAccess(kind: Product, bType: BType): string {
  const a = kind === "tn" ? "p.aOff + k * p.lda + row" : "p.aOff + row * p.lda + k";
  const b = kind === "nt" ? "p.bOff + col * p.ldb + k" : "p.bOff + k * p.ldb + col";
  const loadB = isByPanels(bType)
    ? `${isQuantised(bType) ? weightFunction(bType, "b", "p.ldb") : halfFunction("b", "p.ldb")}
fn loadB(k: u32, col: u32) -> f32 { return weight(${kind === "nt" ? "col, k" : "k, col"}); }`
    : `fn loadB(k: u32, col: u32) -> f32 { return b[${b}]; }`;
  return `
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<${bType === "f32" ? "f32" : "u32"}>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
fn loadA(row: u32, k: u32) -> f32 { return a[${a}]; }
${loadB}
`;
}

/** The kernel for any size and alignment: each thread holds `rows` x `perThread` sums, its columns a workgroup apart. */
export function scalarKernel(kind: Product, bType: BType, tile: Tile): string {
  const { rows: TM, perThread: TN } = tile;
  const lanes = tile.cols / TN;
  const each = (make: (i: number, j: number) => string) => lines(TM, (i) => lines(TN, (j) => make(i, j)));
  const inside = (i: number, j: number) => `row0 + ${i}u < p.m && col${j} < p.n`;
  const element = (i: number, j: number) => `c[p.cOff + (row0 + ${i}u) * p.ldc + col${j}]`;
  return `${scalarAccess(kind, bType)}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row0 = p.rowStart + wg.y * ${TM}u;
${lines(TM, (i) => `  let r${i} = min(row0 + ${i}u, p.m - 1u);`)}
${
    lines(TN, (j) =>
      `  let col${j} = wg.x * ${tile.cols}u + ${j * lanes}u + lane; let at${j} = min(col${j}, p.n - 1u);`)
  }
${each((i, j) => `  var acc${i}_${j} = 0.0;`)}
  if (ACCUMULATE) {
${each((i, j) => `    if (${inside(i, j)}) { acc${i}_${j} = ${element(i, j)}; }`)}
  }
  for (var k = p.kStart; k < p.kEnd; k++) {
${lines(TM, (i) => `    let a${i} = loadA(r${i}, k);`)}
${lines(TN, (j) => `    let b${j} = loadB(k, at${j});`)}
${each((i, j) => `    acc${i}_${j} = fma(a${i}, b${j}, acc${i}_${j});`)}
  }
${each((i, j) => `  if (${inside(i, j)}) { ${element(i, j)} = acc${i}_${j}; }`)}
}`;
}
