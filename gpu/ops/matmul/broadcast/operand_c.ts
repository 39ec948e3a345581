import { range, xyzw } from "../../wgsl/text.ts";
import type { Loads } from "../variant.ts";

/** WGSL by which a lane takes `loads.c` sums, side by side, from C and stores them there: the q-th of its columns of row i. */
export function operandC({ c: unit, u64 }: Loads) {
  const pairs = u64 && unit === 8;
  const sum = (i: number, q: number, e: number) => `acc${i}_${q * unit + e}`;
  const inside = (i: number, q: number) => `row0 + ${i}u < p.m && col0 + ${q * unit}u < p.n`;
  const index = (i: number, q: number) => `indexC + (row0 + ${i}u) * strideC + ${q}u`;
  const bits = (i: number, q: number, e: number) => `u64(bitcast<u32>(${sum(i, q, e)}))`;
  const part = (i: number, q: number, e: number) =>
    pairs ? `${bits(i, q, 2 * e)} | (${bits(i, q, 2 * e + 1)} << 32u)` : sum(i, q, e);
  const type = pairs ? "vec4<u64>" : "vec4<f32>";
  const old = (e: number) =>
    pairs ? `bitcast<f32>(u32(o.${xyzw[e >> 1]}${e % 2 ? " >> 32u" : ""}))` : `o.${xyzw[e]}`;
  return {
    type,
    // Once for all: the software device loads a uniform by a dozen instructions, again in each branch.
    setUp: `  let indexC = (p.cOff + col0) / ${unit}u; let strideC = p.ldc / ${unit}u;`,
    load: (i: number, q: number) =>
      `    if (${inside(i, q)}) { let o = c[${index(i, q)}];${
        range(unit).map((e) => ` ${sum(i, q, e)} = ${old(e)};`).join("")
      } }`,
    store: (i: number, q: number) =>
      `  if (${inside(i, q)}) { c[${index(i, q)}] = ${type}(${
        range(4).map((e) => part(i, q, e)).join(", ")
      }); }`,
  };
}
