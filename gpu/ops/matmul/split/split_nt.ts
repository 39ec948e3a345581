import { comp, lines, range } from "../../wgsl/text.ts";
import {
  BLOCK,
  isQuantised,
  type QuantType,
  SCALE_AT,
  scaleFactor,
  scalePlace,
  SIDE,
  unpackWeight,
  weightPlace,
} from "../../../quantised.ts";
import { type BStore, type MatmulVariant, SEGMENT } from "../variant.ts";
import { type Layout, splitLayout } from "./split_layout.ts";

/**
 * C[m, n] (+)= A[m, k] W[n, k]^T for few rows on real GPUs: a matrix-vector product with its sum split. A workgroup has up to 8 rows and
 * `cols` columns; a thread sums one segment of 64 terms of `perThread` columns for all rows, `depth` segments at a time.
 * W's rows are read along k by neighbouring threads and staged in workgroup memory as they are packed, since a thread's own
 * segment would be a stride of 64 terms from its neighbour's.
 *
 * Order: each segment is one chain of fused multiply-adds from 0; segments are added in ascending order, from the old
 * value if there is one. A tree would be shorter, but not what the tiles of many rows can do beside their sums. Each
 * output is added up by one thread from workgroup memory, or, `shuffle`, by every lane from the lanes of its subgroup,
 * one after another: the order of segments, whatever the size of the subgroup.
 */
export function splitNT({ store, tile }: MatmulVariant): string {
  const l = splitLayout(store, tile);
  const segment = SEGMENT.nt;
  const rowVector = l.rows === 1 ? "f32" : `vec${Math.min(l.rows, 4)}<f32>`;
  const each = (make: (j: number, v: number) => string) =>
    lines(l.perThread, (j) => range(l.vectors).map((v) => make(j, v)).join(" "));
  const sum = tile.shuffle ? addByShuffle(l, rowVector) : addByMemory(l);
  const quantised = isQuantised(store);
  const [a, b] = [stageA(l), stageB(store, l)];
  return `
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<${l.unit === 1 ? "u32" : `vec${l.unit}<u32>`}>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
${quantised ? SCALE_AT : ""}
var<workgroup> sa: array<${rowVector}, ${l.segments * l.strideA}>;
var<workgroup> sb: array<u32, ${l.sizeB}>;
fn place(row: u32, col: u32) -> u32 { return p.cOff + row * p.ldc + col; }
fn old(row: u32, col: u32) -> f32 {
  var value = 0.0;
  if (ACCUMULATE && row < p.m && col < p.n) { value = c[place(row, col)]; }
  return value;
}
@compute @workgroup_size(${l.threads})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>${sum.builtins}) {
${sum.thread}
  let segment = thread % ${l.segments}u;
  let group = thread / ${l.segments}u;
  let col0 = (wg.y * grid.x + wg.x) * ${l.cols}u;
  let row0 = wg.z * ${l.rows}u;
${sum.begin}
  for (var start = p.kStart; start < p.kEnd; start += ${l.segments * segment}u) {
${each((j, v) => `    var acc${j}_${v} = ${rowVector}();`)}
    for (var part = 0u; part < ${segment}u; part += ${l.terms}u) {
${a.load}
${b.load}
${a.store}
${b.store}
${quantised ? loadScales(store, l) : ""}
      workgroupBarrier();
${multiply(store, l, rowVector)}
      workgroupBarrier();
    }
    let count = min(${l.segments}u, (p.kEnd - start + ${segment - 1}u) / ${segment}u);
${sum.add}
  }
${sum.end}
}`;
}

/** Loads that come first, all of them under way together, and what then goes to workgroup memory. */
interface Staged {
  load: string;
  store: string;
}

/** One load and one store for each of `count` pieces, shared out among the threads. */
function staged(
  count: number,
  threads: number,
  name: string,
  load: (i: string) => string,
  store: (i: string) => string,
): Staged {
  const pieces = Math.ceil(count / threads);
  const own = (i: number) => `thread + ${i * threads}u`;
  const partly = (i: number) => (i + 1) * threads > count;
  return {
    load: lines(pieces, (i) => {
      const index = partly(i) ? `min(${own(i)}, ${count - 1}u)` : own(i);
      return `      let ${name}${i} = ${index};\n${load(`${name}${i}`)}`;
    }),
    store: lines(
      pieces,
      (i) => `      ${partly(i) ? `if (${own(i)} < ${count}u) ` : ""}{ ${store(`${name}${i}`)} }`,
    ),
  };
}

/** A's terms of the part, rows beside each other; zeros past the last row and term. */
function stageA({ rows, vectors, segments, terms, threads, strideA }: Layout): Staged {
  const vec4s = terms / 4;
  const row = (i: string) => `(${i} / ${vec4s * segments}u)`; // of the group
  const load = (i: string) =>
    `      let ${i}k = start + ${i} / ${vec4s}u % ${segments}u * ${SEGMENT.nt}u + part + ${i} % ${vec4s}u * 4u;
      let ${i}v = a[(p.aOff + min(row0 + ${row(i)}, p.m - 1u) * p.lda + min(${i}k, p.kEnd - 4u)) >> 2u];`;
  const store = (i: string) =>
    `let four = select(vec4<f32>(), ${i}v, row0 + ${row(i)} < p.m && ${i}k < p.kEnd);
        let to = ${i} / ${vec4s}u % ${segments}u * ${strideA}u + ${i} % ${vec4s}u * ${4 * vectors}u + ${
      row(i)
    } / 4u;
        ${
      comp.map((c, e) => `sa[to + ${e * vectors}u]${rows === 1 ? "" : `[${row(i)} % 4u]`} = four.${c};`).join(
        " ",
      )
    }`;
  return staged(rows * segments * vec4s, threads, "ia", load, store);
}

/**
 * W's words of the part, zeros past the last term. Neighbouring threads take what lies side by side: along a row, of
 * packed weights the rows of a panel.
 */
function stageB(
  store: BStore,
  { cols, segments, words, unit, perWord, threads, strideB }: Layout,
): Staged {
  const loads = words / unit;
  const each = unit * perWord;
  const type = unit === 1 ? "u32" : `vec${unit}<u32>`;
  const packed = isQuantised(store);
  const col = (i: string) => packed ? `(${i} / ${loads}u % ${cols}u)` : `(${i} / ${loads * segments}u)`;
  const segment = (i: string) => packed ? `(${i} / ${loads * cols}u)` : `(${i} / ${loads}u % ${segments}u)`;
  const place = (row: string, term: string) =>
    packed ? weightPlace(store, row, term, "p.ldb") : `p.bOff + ${row} * p.ldb + ${term}`;
  const load = (i: string) =>
    `      let ${i}k = start + ${segment(i)} * ${SEGMENT.nt}u + part + ${i} % ${loads}u * ${each}u;
      let ${i}n = min(col0 + ${col(i)}, p.n - 1u);
      let ${i}w = b[(${place(`${i}n`, `min(${i}k, p.kEnd - ${each}u)`)}) / ${each}u];`;
  const put = (i: string) =>
    `let words = select(${type}(), ${i}w, ${i}k < p.kEnd);
        let to = (${col(i)} * ${segments}u + ${segment(i)}) * ${strideB}u + ${i} % ${loads}u * ${unit}u;
        ${range(unit).map((e) => `sb[to + ${e}u] = words${unit === 1 ? "" : `.${comp[e]}`};`).join(" ")}`;
  return staged(cols * segments * loads, threads, "ib", load, put);
}

/** Scales of the thread's columns: a part is a block. Past the last term those of the last block, which meet zeros. */
function loadScales(store: QuantType, { perThread }: Layout): string {
  const one = (j: number) => {
    const at = `at${j}`;
    const low = store === "q4_1" ? ` let low${j} = scaleAt(${at} + ${SIDE}u);` : "";
    const col = `min(col0 + group * ${perThread}u + ${j}u, p.n - 1u)`;
    return `      let ${at} = ${scalePlace(store, col, "block", "p.ldb")};
      let scale${j} = scaleAt(${at})${scaleFactor(store)};${low}`;
  };
  return `      let block = min(start + segment * ${SEGMENT.nt}u + part, p.kEnd - 1u) / ${BLOCK}u;
${lines(perThread, one)}`;
}

/** The thread's segment, a word of each column a turn. */
function multiply(store: BStore, l: Layout, rowVector: string): string {
  const word = (j: number) =>
    `        let w${j} = sb[((group * ${l.perThread}u + ${j}u) * ${l.segments}u + segment) * ${l.strideB}u + w];`;
  const value = (j: number, e: number) =>
    isQuantised(store)
      ? unpackWeight(store, [`w${j}`], e, `scale${j}`, `low${j}`)
      : store === "f16"
      ? `unpack2x16float(w${j}).${comp[e]}`
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

/** How segments come to a sum: names of builtins, the thread's number, what is done first, after each turn, and last. */
type Adding = Record<"builtins" | "thread" | "begin" | "add" | "end", string>;

/** Sums of segments go through workgroup memory, and each output is added up by one thread. */
function addByMemory({ rows, perThread, vectors, threads, outputs }: Layout): Adding {
  const count = Math.ceil(outputs / threads);
  const stride = outputs + 1;
  const row = (v: number, e: number) => v * 4 + e;
  const put = lines(
    perThread,
    (j) =>
      lines(
        vectors,
        (v) =>
          range(Math.min(rows, 4)).map((e) =>
            `    sb[to + ${j * rows + row(v, e)}u] = bitcast<u32>(acc${j}_${v}${
              rows === 1 ? "" : `.${comp[e]}`
            });`
          ).join("\n"),
      ),
  );
  const own = (i: number) => `thread + ${i * threads}u`;
  const each = (make: (i: number) => string) =>
    lines(
      count,
      (i) => (i + 1) * threads > outputs ? `    if (${own(i)} < ${outputs}u) { ${make(i)} }` : make(i),
    );
  const at = (i: number): [string, string] => [
    `row0 + (${own(i)}) % ${rows}u`,
    `col0 + (${own(i)}) / ${rows}u`,
  ];
  return {
    builtins: ", @builtin(local_invocation_index) thread: u32",
    thread: "",
    begin: lines(count, (i) => `  var total${i} = old(${at(i).join(", ")});`),
    add: `    let to = segment * ${stride}u + group * ${perThread * rows}u;
${put}
    workgroupBarrier();
    for (var s = 0u; s < count; s++) {
${each((i) => `total${i} += bitcast<f32>(sb[s * ${stride}u + ${own(i)}]);`)}
    }
    workgroupBarrier();`,
    end: each((i) => write(...at(i), `total${i}`)),
  };
}

/**
 * The segments of a column are lanes that follow one another in a subgroup, and every lane adds all of them up. Lanes are
 * counted by subgroups, since nothing says that a subgroup takes invocations in their order.
 */
function addByShuffle({ rows, perThread, vectors, segments }: Layout, rowVector: string): Adding {
  const each = (make: (j: number, v: number) => string) =>
    lines(perThread, (j) => lines(vectors, (v) => make(j, v)));
  const col = (j: number) => `col0 + group * ${perThread}u + ${j}u`;
  const start = (j: number, v: number) =>
    `${rowVector}(${range(Math.min(rows, 4)).map((e) => `old(row0 + ${v * 4 + e}u, ${col(j)})`).join(", ")})`;
  return {
    builtins: ", @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_size) lanes: u32, " +
      "@builtin(subgroup_invocation_id) lane: u32",
    thread: "  let thread = subgroup * lanes + lane;",
    begin: `  let first = lane / ${segments}u * ${segments}u;
${each((j, v) => `  var total${j}_${v} = ${start(j, v)};`)}`,
    add: `    for (var s = 0u; s < count; s++) {
${each((j, v) => `      total${j}_${v} += subgroupShuffle(acc${j}_${v}, first + s);`)}
    }`,
    end: `  if (segment == 0u) {
${
      each((j, v) =>
        range(Math.min(rows, 4)).map((e) =>
          write(`row0 + ${v * 4 + e}u`, col(j), `total${j}_${v}${rows === 1 ? "" : `.${comp[e]}`}`)
        ).join("\n")
      )
    }
  }`,
  };
}

const write = (row: string, col: string, value: string): string =>
  `    if (${row} < p.m && ${col} < p.n) { c[place(${row}, ${col})] = ${value}; }`;
