/** Which operand is stored transposed: C = A B^T, A B, or A^T B. */
export type Product = "nt" | "nn" | "tn";
/** Element type of B in memory. */
export type BStore = "f32" | "f16";

/** How one workgroup covers C: `rows` x `cols` outputs, `perThread` columns (broadcast) or a square (tile) a thread. */
export interface Tile {
  family: "broadcast" | "tile";
  rows: number;
  cols: number;
  perThread: number;
  depth: number;
}

/** Which kernel: everything that is a constant of its text. */
export interface MatmulVariant {
  kind: Product;
  store: BStore;
  /** All strides and offsets are multiples of the vectors. */
  vector: boolean;
  /** The sum starts from what C holds. A constant: a branch would make every tile load C. */
  accumulate: boolean;
  tile: Tile;
}

/** The kernel for a product: label and WGSL text. */
export function matmulSource(
  variant: MatmulVariant,
  subgroup: number,
): { label: string; code: () => string } {
  const { kind, store, vector, accumulate, tile } = variant;
  const name = `matmul_${kind}_${store}_${tile.family}_${tile.rows}x${tile.cols}`;
  const body = () => {
    if (tile.family === "tile") return tileKernel(kind, store, tile);
    return vector ? broadcastKernel(kind, store, tile, subgroup) : scalarKernel(kind, store, tile);
  };
  return {
    label: `${name}${vector ? "" : "_scalar"}${accumulate ? "_add" : ""}`,
    code: () => `const ACCUMULATE = ${accumulate};${body()}`,
  };
}

const PARAMS = `
// C[m, n] (+)= sum over k of A B. Row-major with strides lda, ldb, ldc and offsets, all in elements.
// nt: A[m, k] B[n, k]; nn: A[m, k] B[k, n]; tn: A[k, m] B[k, n]. Terms kStart to kEnd, ascending, one accumulator.
struct Params {
  m: u32, n: u32, k: u32, lda: u32, ldb: u32, ldc: u32, aOff: u32, bOff: u32, cOff: u32,
  rowStart: u32, kStart: u32, kEnd: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
`;

const range = (n: number): number[] => [...Array(n).keys()];
const lines = (n: number, make: (i: number) => string): string => range(n).map(make).join("\n");

/** Scalar accessors that read any layout and any alignment: `loadA(row, k)` and `loadB(k, col)`. */
function scalarAccess(kind: Product, store: BStore): string {
  const a = kind === "tn" ? "p.aOff + k * p.lda + row" : "p.aOff + row * p.lda + k";
  const b = kind === "nt" ? "p.bOff + col * p.ldb + k" : "p.bOff + k * p.ldb + col";
  const read = store === "f32"
    ? "return b[at];"
    : "let pair = unpack2x16float(b[at >> 1u]); return select(pair.x, pair.y, (at & 1u) == 1u);";
  return `
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<${store === "f32" ? "f32" : "u32"}>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
fn loadA(row: u32, k: u32) -> f32 { return a[${a}]; }
fn loadB(k: u32, col: u32) -> f32 { let at = ${b}; ${read} }
`;
}

/** Any size and alignment: each thread holds `rows` x `perThread` sums, its columns a workgroup apart. */
function scalarKernel(kind: Product, store: BStore, tile: Tile): string {
  const { rows: TM, perThread: TN } = tile;
  const lanes = tile.cols / TN;
  const each = (make: (i: number, j: number) => string) => lines(TM, (i) => lines(TN, (j) => make(i, j)));
  const inside = (i: number, j: number) => `row0 + ${i}u < p.m && col${j} < p.n`;
  const place = (i: number, j: number) => `c[p.cOff + (row0 + ${i}u) * p.ldc + col${j}]`;
  return `${PARAMS}${scalarAccess(kind, store)}
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
${each((i, j) => `    if (${inside(i, j)}) { acc${i}_${j} = ${place(i, j)}; }`)}
  }
  for (var k = p.kStart; k < p.kEnd; k++) {
${lines(TM, (i) => `    let a${i} = loadA(r${i}, k);`)}
${lines(TN, (j) => `    let b${j} = loadB(k, at${j});`)}
${each((i, j) => `    acc${i}_${j} = fma(a${i}, b${j}, acc${i}_${j});`)}
  }
${each((i, j) => `  if (${inside(i, j)}) { ${place(i, j)} = acc${i}_${j}; }`)}
}`;
}

/**
 * One subgroup computes `rows` x (S * perThread) outputs. A's vectors are loaded one a lane and handed round by
 * subgroupBroadcast with constant lanes; B is read once by the lane that owns the column. No shared memory.
 */
function broadcastKernel(kind: Product, store: BStore, tile: Tile, subgroup: number): string {
  const TM = tile.rows;
  const TN = tile.perThread;
  const KU = kind === "nt" && store === "f16" ? 8 : 4;
  const vectors = Math.ceil(TM / 4) * 4 * KU / 4; // vec4s of A in one step
  const loads = Math.ceil((kind === "tn" ? vectors : TM * KU / 4) / subgroup);
  const half = store === "f16";
  const bType = half ? (kind === "nt" ? "vec4<u32>" : "vec2<u32>") : "vec4<f32>";

  // Addresses in vectors, with all that does not change taken out of the loop.
  const quads = kind === "tn" ? Math.ceil(TM / 4) : KU / 4;
  const baseA = lines(loads, (l) => {
    const idx = `  let i${l} = ${l * subgroup}u + lane;`;
    return kind === "tn"
      ? `${idx} let ka${l} = i${l} / ${quads}u; let pa${l} = (p.aOff + min(row0 + i${l} % ${quads}u * 4u, lastRow)) >> 2u;`
      : `${idx} let pa${l} = (p.aOff + min(row0 + i${l} / ${quads}u, p.m - 1u) * p.lda + i${l} % ${quads}u * 4u) >> 2u;`;
  });
  const loadA = lines(
    loads,
    (l) =>
      kind === "tn"
        ? `    var av${l} = a[pa${l} + min(k + ka${l}, lastK) * strideA]; if (k + ka${l} > lastK) { av${l} = vec4<f32>(); }`
        : `    let av${l} = a[pa${l} + (k >> 2u)];`,
  );

  const clampK = (kk: number) => kind === "tn" ? `min(k + ${kk}u, lastK)` : `(k + ${kk}u)`;
  const baseB = kind === "nt"
    ? lines(TN, (j) => `  let pb${j} = (p.bOff + min(col0 + ${j}u, p.n - 1u) * p.ldb) >> ${half ? 3 : 2}u;`)
    : `  let pb = (p.bOff + col0) >> 2u;`;
  const unpack = (word: string, pair: string) =>
    `vec4<f32>(unpack2x16float(${word}.${pair[0]}), unpack2x16float(${word}.${pair[1]}))`;
  const loadB = kind === "nt"
    ? lines(
      TN,
      (j) =>
        half
          ? `    let w${j} = b[pb${j} + (k >> 3u)]; let b${j}_0 = ${unpack(`w${j}`, "xy")}; let b${j}_1 = ${
            unpack(`w${j}`, "zw")
          };`
          : `    let b${j}_0 = b[pb${j} + (k >> 2u)];`,
    )
    : lines(KU, (kk) =>
      `    let pk${kk} = pb + ${clampK(kk)} * strideB;\n` +
      lines(TN / 4, (q) =>
        half
          ? `    let h${kk}_${q} = b[pk${kk} + ${q}u]; let b${kk}_${q} = ${unpack(`h${kk}_${q}`, "xy")};`
          : `    let b${kk}_${q} = b[pk${kk} + ${q}u];`));

  const comp = ["x", "y", "z", "w"];
  const valueB = (kk: number, j: number): string =>
    kind === "nt" ? `b${j}_${kk >> 2}.${comp[kk & 3]}` : `b${kk}_${j >> 2}.${comp[j & 3]}`;
  const valueA = (i: number, kk: number): string => {
    if (kind === "tn") {
      const index = kk * Math.ceil(TM / 4) + (i >> 2);
      return `s${index}.${comp[i & 3]}`;
    }
    return `s${i * (KU / 4) + (kk >> 2)}.${comp[kk & 3]}`;
  };
  const spreads = lines(
    kind === "tn" ? vectors : TM * KU / 4,
    (v) => `    let s${v} = subgroupBroadcast(av${Math.floor(v / subgroup)}, ${v % subgroup}u);`,
  );
  // Scalars, not vectors, and all of a step's terms for one sum before the next: the software device's compiler has
  // far fewer registers than sums, and spills each once a step.
  const multiply = lines(
    TM,
    (i) =>
      lines(
        TN,
        (j) => lines(KU, (kk) => `    acc${i}_${j} = fma(${valueA(i, kk)}, ${valueB(kk, j)}, acc${i}_${j});`),
      ),
  );
  const place = (i: number, q: number) => `c[(p.cOff + (row0 + ${i}u) * p.ldc + col0 + ${q * 4}u) >> 2u]`;
  const inside = (i: number, q: number) => `row0 + ${i}u < p.m && col0 + ${q * 4}u < p.n`;
  const four = (i: number, q: number) => range(4).map((e) => `acc${i}_${q * 4 + e}`).join(", ");

  return `${PARAMS}
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<${bType}>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;
@compute @workgroup_size(${subgroup})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let row0 = p.rowStart + wg.y * ${TM}u;
  let col0 = wg.x * ${tile.cols}u + lane * ${TN}u;
  let lastK = p.kEnd - 1u;
  let lastRow = (p.m - 1u) & ~3u;
  let strideA = p.lda >> 2u;
  let strideB = p.ldb >> 2u;
  let kEnd = p.kEnd;
${baseA}
${baseB}
${lines(TM, (i) => `  var ${range(TN).map((j) => `acc${i}_${j} = 0.0;`).join(" var ")}`)}
  if (ACCUMULATE) {
${
    lines(TM, (i) =>
      lines(TN / 4, (q) =>
        `    if (${inside(i, q)}) { let o = ${place(i, q)}; ${
          range(4).map((e) =>
            `acc${i}_${q * 4 + e} = o.${comp[e]};`
          ).join(" ")
        } }`))
  }
  }
  for (var k = p.kStart; k < kEnd; k += ${KU}u) {
${loadA}
${loadB}
${spreads}
${multiply}
  }
${
    lines(TM, (i) =>
      lines(TN / 4, (q) => `  if (${inside(i, q)}) { ${place(i, q)} = vec4<f32>(${four(i, q)}); }`))
  }
}`;
}

/** For real GPUs: tiles of A and B staged in shared memory, a square of outputs a thread. Any size and alignment. */
function tileKernel(kind: Product, store: BStore, tile: Tile): string {
  const { rows: BM, cols: BN, perThread: T, depth: BK } = tile;
  const tx = BN / T;
  const ty = BM / T;
  const threads = tx * ty;
  const stage = (name: string, width: number, alongK: boolean, load: string, inside: string) => `
    for (var i = lane; i < ${width * BK}u; i += ${threads}u) {
      let kk = ${alongK ? `i % ${BK}u` : `i / ${width}u`};
      let at = ${alongK ? `i / ${BK}u` : `i % ${width}u`};
      var value = 0.0;
      if (${inside} && k0 + kk < p.kEnd) { value = ${load}; }
      ${name}[kk * ${width}u + at] = value;
    }`;
  return `${PARAMS}${scalarAccess(kind, store)}
var<workgroup> sa: array<f32, ${BM * BK}>;
var<workgroup> sb: array<f32, ${BN * BK}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row0 = p.rowStart + wg.y * ${BM}u;
  let col0 = wg.x * ${BN}u;
  let y = lane / ${tx}u;
  let x = lane % ${tx}u;
  var acc: array<f32, ${T * T}>;
  if (ACCUMULATE) {
    for (var i = 0u; i < ${T}u; i++) { for (var j = 0u; j < ${T}u; j++) {
      let row = row0 + i * ${ty}u + y; let col = col0 + j * ${tx}u + x;
      if (row < p.m && col < p.n) { acc[i * ${T}u + j] = c[p.cOff + row * p.ldc + col]; }
    } }
  }
  for (var k0 = p.kStart; k0 < p.kEnd; k0 += ${BK}u) {
${stage("sa", BM, kind !== "tn", "loadA(row0 + at, k0 + kk)", "row0 + at < p.m")}
${stage("sb", BN, kind === "nt", "loadB(k0 + kk, col0 + at)", "col0 + at < p.n")}
    workgroupBarrier();
    let depth = min(${BK}u, p.kEnd - k0);
    for (var kk = 0u; kk < depth; kk++) {
${lines(T, (i) => `      let a${i} = sa[kk * ${BM}u + ${i * ty}u + y];`)}
${lines(T, (j) => `      let b${j} = sb[kk * ${BN}u + ${j * tx}u + x];`)}
${lines(T, (i) => lines(T, (j) => `      acc[${i * T + j}] = fma(a${i}, b${j}, acc[${i * T + j}]);`))}
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < ${T}u; i++) { for (var j = 0u; j < ${T}u; j++) {
    let row = row0 + i * ${ty}u + y; let col = col0 + j * ${tx}u + x;
    if (row < p.m && col < p.n) { c[p.cOff + row * p.ldc + col] = acc[i * ${T}u + j]; }
  } }
}`;
}
