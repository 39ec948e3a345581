import type { Gpu } from "../../gpu.ts";
import { suitsVec8, VEC8, VEC8_LANES } from "../wgsl/vec8.ts";
import { lines } from "../wgsl/text.ts";
import type { Heads } from "../heads.ts";
import forwardBindings from "./rotary_bindings.wgsl" with { type: "text" };
import backwardBindings from "./rotary_backward_bindings.wgsl" with { type: "text" };

// Rotary positions for the software device, as rms_norm_vec8.ts is RMSNorm for it: vec8 loads, and the bits of the kernels of
// vectors of four (rotary.wgsl, rotary_backward.wgsl). A lane takes a row, loads its angles once and rotates all its heads.

/** Rows from which on all cores have some. */
const LEAST_ROWS = 4 * VEC8_LANES;

/** Whether these kernels suit. */
export const suitsRotaryVec8 = (gpu: Gpu, rows: number, { headDim }: Heads): boolean =>
  suitsVec8(gpu) && headDim % 16 === 0 && rows >= LEAST_ROWS;

const load = (name: string, from: string) =>
  `    let ${name} = ${from}; let ${name}0 = first(${name}); let ${name}1 = last(${name});`;

/** A pair of (cos, sin) is a pair of words: cosines are the low ones of two loads, sines the high ones. */
const angles = lines(2, (i) =>
  `  let t${i} = table[(position * HALF + c) * 2u + ${i}u];
  let cos${i} = bitcast<vec4<f32>>(vec4<u32>(u32(t${i}.x), u32(t${i}.y), u32(t${i}.z), u32(t${i}.w)));
  let sin${i} = bitcast<vec4<f32>>(vec4<u32>(u32(t${i}.x >> 32u), u32(t${i}.y >> 32u), u32(t${i}.z >> 32u), u32(t${i}.w >> 32u)));`);

/** x and y, the two halves rotated, from u and v, those loaded with their bias. */
const rotated = (bias: boolean): string =>
  lines(2, (i) =>
    `    let u${i} = a${i}${bias ? ` + e${i}` : ""}; let v${i} = b${i}${bias ? ` + f${i}` : ""};
    let x${i} = fma(u${i}, cos${i}, -(v${i} * sin${i})); let y${i} = fma(v${i}, cos${i}, u${i} * sin${i});`);

/** For eight dimensions at a time: the angles of a row, then what is done with its heads. */
const rowKernel = ({ heads, kvHeads, headDim }: Heads, declare: string, setUp: string, body: string) =>
  `${VEC8}alias V = E; alias T = E;
const HEADS = ${heads}u; const KV = ${kvHeads}u; const HALF = ${headDim / 16}u; // loads in half a head
${declare}
@compute @workgroup_size(${VEC8_LANES})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (wg.y * n.x + wg.x) * ${VEC8_LANES}u + lane;
  if (row >= p.rows) { return; }
  let m = rowMeta[row];
${setUp}
  let whole = row * (HEADS + 2u * KV) * 2u * HALF;
  for (var c = 0u; c < HALF; c++) {
${angles}
${body}
  }
}`;

/** A loop over `count` heads, which begin at place `from` of one array and at `to` of another. */
const eachHead = (count: string, from: string, to: string, body: string) => `
  for (var head = 0u; head < ${count}; head++) {
    let at = ${from} + head * 2u * HALF + c;
    let to = ${to} + head * 2u * HALF + c;
${body}
  }`;

/** With `bias` the projections' bias is added before. */
export function rotaryVec8(shape: Heads, bias: boolean): string {
  const rotate = (array: string) =>
    `${load("a", "qkv[at]")}
${load("b", "qkv[at + HALF]")}
${bias ? `${load("e", "bias[at - whole]")}\n${load("f", "bias[at - whole + HALF]")}` : ""}
${rotated(bias)}
    ${array}[to] = vec8(x0, x1);
    ${array}[to + HALF] = vec8(y0, y1);`;
  const copy = bias
    ? `${load("a", "qkv[at]")}
${load("b", "qkv[at + HALF]")}
${load("e", "bias[at - whole]")}
${load("f", "bias[at - whole + HALF]")}
    v[to] = vec8(a0 + e0, a1 + e1);
    v[to + HALF] = vec8(b0 + f0, b1 + f1);`
    : `    v[to] = qkv[at];
    v[to + HALF] = qkv[at + HALF];`;
  return rowKernel(
    shape,
    forwardBindings + (bias ? "@group(0) @binding(7) var<storage, read> bias: array<V>;" : ""),
    `  let position = m.w + p.shift;
  let key = (m.z + position - m.y) * KV * 2u * HALF;`,
    `${eachHead("HEADS", "whole", "row * HEADS * 2u * HALF", rotate("q"))}
${eachHead("KV", "whole + HEADS * 2u * HALF", "key", rotate("k"))}
${eachHead("KV", "whole + (HEADS + KV) * 2u * HALF", "key", copy)}`,
  );
}

/**
 * WGSL that rotates the heads of one row and key/value head, in a kernel that goes on to read them: those of the query, `GROUP`
 * of them, into q, and the key and the value to their place `keyAt` in k and v. All arrays but the meta are of vec8.
 */
export const rotaryOfGroup = ({ headDim }: Pick<Heads, "headDim">, bias: boolean): string => `
  {
    const HALF = ${headDim / 16}u; // loads in half a head
    for (var i = lane; i < (GROUP + 2u) * HALF; i += ${VEC8_LANES}u) {
      let part = i / HALF;
      let c = i % HALF;
      var head = kvHead * GROUP + part;
      if (part >= GROUP) { head = p.heads + (part - GROUP) * p.kvHeads + kvHead; }
      let inRow = head * 2u * HALF + c;
      let at = row * (p.heads + 2u * p.kvHeads) * 2u * HALF + inRow;
${angles}
${load("a", "qkv[at]")}
${load("b", "qkv[at + HALF]")}
${bias ? `${load("e", "bias[inRow]")}\n${load("f", "bias[inRow + HALF]")}` : ""}
${rotated(bias)}
      let keyPlace = (keyAt * p.kvHeads + kvHead) * 2u * HALF + c;
      if (part < GROUP) {
        let to = (row * p.heads + head) * 2u * HALF + c;
        q[to] = vec8(x0, x1);
        q[to + HALF] = vec8(y0, y1);
      } else if (part == GROUP) {
        k[keyPlace] = vec8(x0, x1);
        k[keyPlace + HALF] = vec8(y0, y1);
      } else {
        v[keyPlace] = vec8(u0, u1);
        v[keyPlace + HALF] = vec8(v0, v1);
      }
    }
  }
  storageBarrier();`;

/** The gradients rotated back. */
export function rotaryBackwardVec8(shape: Heads): string {
  const rotate = (array: string) =>
    `${load("x", `${array}[at]`)}
${load("y", `${array}[at + HALF]`)}
    dqkv[to] = vec8(x0 * cos0 + y0 * sin0, x1 * cos1 + y1 * sin1);
    dqkv[to + HALF] = vec8(y0 * cos0 - x0 * sin0, y1 * cos1 - x1 * sin1);`;
  const copy = `    dqkv[to] = dv[at];
    dqkv[to + HALF] = dv[at + HALF];`;
  return rowKernel(
    shape,
    backwardBindings,
    `  let position = m.w;
  let key = (m.z + m.w - m.y) * KV * 2u * HALF;`,
    `${eachHead("HEADS", "row * HEADS * 2u * HALF", "whole", rotate("dq"))}
${eachHead("KV", "key", "whole + HEADS * 2u * HALF", rotate("dk"))}
${eachHead("KV", "key", "whole + (HEADS + KV) * 2u * HALF", copy)}`,
  );
}
