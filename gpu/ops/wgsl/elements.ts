import type { Gpu } from "../../gpu.ts";
import { suitsVec8, VEC8 } from "./vec8.ts";
import { lines } from "./text.ts";

/** How a kernel takes the numbers of a row: 8, 4 or 1 at once, which are 2 vectors, 1, or a number. */
export interface Elements {
  /** Numbers in an element. */
  width: number;
  /** WGSL: `V` is the element of an array, `W` its width, `S` the lanes of a subgroup. */
  prelude: string;
  /** Names the kernel's variants. */
  label: (name: string) => string;
  /** Loads an element as NAME0 (and NAME1). */
  load: (name: string, from: string) => string;
  /** A line for each vector of an element: 0 (and 1). */
  each: (make: (i: number) => string) => string;
  /** The element made of NAME0 (and NAME1). */
  join: (name: string) => string;
}

/** The widest elements that rows of `d` numbers are made of. */
export function elementsOf(gpu: Gpu, d: number): Elements {
  const widths = `const S = ${gpu.subgroupSize}u; const W = `;
  if (d % 8 === 0 && suitsVec8(gpu)) {
    return {
      width: 8,
      prelude: `${VEC8}alias V = E; ${widths}8u;`,
      label: (name) => `${name}_vec8`,
      load: (n, from) => `let ${n}_ = ${from}; let ${n}0 = first(${n}_); let ${n}1 = last(${n}_);`,
      each: (make) => lines(2, make),
      join: (name) => `vec8(${name}0, ${name}1)`,
    };
  }
  const vector = d % 4 === 0;
  return {
    width: vector ? 4 : 1,
    prelude: vector ? `alias V = vec4<f32>; ${widths}4u;` : `alias V = f32; ${widths}1u;`,
    label: (name) => vector ? name : `${name}_scalar`,
    load: (name, from) => `let ${name}0 = ${from};`,
    each: (make) => make(0),
    join: (name) => `${name}0`,
  };
}
