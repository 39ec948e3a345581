import { lines, range, xyzw } from "../../wgsl/text.ts";
import type { Layout } from "./split_layout.ts";

/** WGSL that adds segments up: builtins, the thread's number, what is done first, after each round of segments, and last. */
type SumOfSegments = Record<"builtins" | "thread" | "begin" | "add" | "end", string>;

/** Sums of segments go through workgroup memory, and each output is added up by one thread. */
export function sumThroughMemory({ rows, perThread, vectors, threads, outputs }: Layout): SumOfSegments {
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
              rows === 1 ? "" : `.${xyzw[e]}`
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
export function sumByShuffle(
  { rows, perThread, vectors, segments }: Layout,
  rowVector: string,
): SumOfSegments {
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
          write(`row0 + ${v * 4 + e}u`, col(j), `total${j}_${v}${rows === 1 ? "" : `.${xyzw[e]}`}`)
        ).join("\n")
      )
    }
  }`,
  };
}

const write = (row: string, col: string, value: string): string =>
  `    if (${row} < p.m && ${col} < p.n) { c[indexC(${row}, ${col})] = ended(${value}, ${row}, ${col}); }`;
