import { lines, range, xyzw } from "../../wgsl/text.ts";
import { isByPanels, weightIndex } from "../../../panels.ts";
import { type BType, SEGMENT } from "../variant.ts";
import type { GpuPrologue } from "../gpu_prologue.ts";
import type { Layout } from "./split_layout.ts";

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
export function stageA(
  { rows, vectors, segments, terms, threads, strideA }: Layout,
  prologue?: GpuPrologue,
): Staged {
  const vec4s = terms / 4;
  const row = (i: string) => `(${i} / ${vec4s * segments}u)`; // of the group
  const load = (i: string) =>
    `      let ${i}k = start + ${i} / ${vec4s}u % ${segments}u * ${SEGMENT.nt}u + part + ${i} % ${vec4s}u * 4u;
      let ${i}at = min(${i}k, p.kEnd - 4u);
      let ${i}index = (p.aOff + min(row0 + ${row(i)}, p.m - 1u) * p.lda + ${i}at) >> 2u;
      let ${i}v = a[${i}index];${
      prologue ? `\n      let ${i}b = ${prologue.beside(`${i}index`, `${i}at`)};` : ""
    }`;
  const value = (i: string) => prologue ? prologue.make(`${i}v`, `${i}b`, row(i)) : `${i}v`;
  const store = (i: string) =>
    `let values = select(vec4<f32>(), ${value(i)}, row0 + ${row(i)} < p.m && ${i}k < p.kEnd);
        let to = ${i} / ${vec4s}u % ${segments}u * ${strideA}u + ${i} % ${vec4s}u * ${4 * vectors}u + ${
      row(i)
    } / 4u;
        ${
      xyzw.map((c, e) => `sa[to + ${e * vectors}u]${rows === 1 ? "" : `[${row(i)} % 4u]`} = values.${c};`)
        .join(
          " ",
        )
    }`;
  return staged(rows * segments * vec4s, threads, "ia", load, store);
}

/**
 * W's words of the part, zeros past the last term. Neighbouring threads take what lies side by side: along a row, or the
 * rows of a panel.
 */
export function stageB(
  bType: BType,
  { cols, segments, words, unit, perWord, threads, strideB }: Layout,
): Staged {
  const loads = words / unit;
  const each = unit * perWord;
  const type = unit === 1 ? "u32" : `vec${unit}<u32>`;
  const panels = isByPanels(bType);
  const col = (i: string) => panels ? `(${i} / ${loads}u % ${cols}u)` : `(${i} / ${loads * segments}u)`;
  const segment = (i: string) => panels ? `(${i} / ${loads * cols}u)` : `(${i} / ${loads}u % ${segments}u)`;
  const index = (row: string, term: string) =>
    panels ? weightIndex(bType, row, term, "p.ldb") : `p.bOff + ${row} * p.ldb + ${term}`;
  const load = (i: string) =>
    `      let ${i}k = start + ${segment(i)} * ${SEGMENT.nt}u + part + ${i} % ${loads}u * ${each}u;
      let ${i}n = min(col0 + ${col(i)}, p.n - 1u);
      let ${i}w = b[(${index(`${i}n`, `min(${i}k, p.kEnd - ${each}u)`)}) / ${each}u];`;
  const put = (i: string) =>
    `let words = select(${type}(), ${i}w, ${i}k < p.kEnd);
        let to = (${col(i)} * ${segments}u + ${segment(i)}) * ${strideB}u + ${i} % ${loads}u * ${unit}u;
        ${range(unit).map((e) => `sb[to + ${e}u] = words${unit === 1 ? "" : `.${xyzw[e]}`};`).join(" ")}`;
  return staged(cols * segments * loads, threads, "ib", load, put);
}
