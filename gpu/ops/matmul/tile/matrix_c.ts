import { xyzw } from "../../wgsl/text.ts";

/**
 * WGSL of `readC(row, col)` and `writeC(row, col, values)`, of four columns, nothing outside of C; binding 3.
 * @param parts C is one of several that follow each other: that of the number in `part`
 */
export function matrixC(aligned: boolean, parts: boolean): string {
  const at = `p.cOff + ${parts ? "(part * p.m + row)" : "row"} * p.ldc + col`;
  const each = (make: (e: number) => string) => xyzw.map((_, e) => make(e)).join(" ");
  const inside = (e: number, then: string) => `if (col + ${e}u < p.n) { ${then} }`;
  const read = aligned
    ? `values = c[(${at}) >> 2u];`
    : `let i = ${at}; ${each((e) => inside(e, `values.${xyzw[e]} = c[i + ${e}u];`))}`;
  const write = aligned
    ? `c[(${at}) >> 2u] = values;`
    : `let i = ${at}; ${each((e) => inside(e, `c[i + ${e}u] = values.${xyzw[e]};`))}`;
  return `@group(0) @binding(3) var<storage, read_write> c: array<${aligned ? "vec4<f32>" : "f32"}>;
${parts ? "var<private> part: u32;" : ""}
fn readC(row: u32, col: u32) -> vec4<f32> {
  var values = vec4<f32>();
  if (row < p.m && col < p.n) { ${read} }
  return values;
}
fn writeC(row: u32, col: u32, values: vec4<f32>) {
  if (row < p.m && col < p.n) { ${write} }
}`;
}
