import { range } from "../wgsl/text.ts";
import type { Heads } from "../heads.ts";

/** What the rotation of {@link rotaryOfWorkgroup} writes: words of an element of v, and its threads. */
interface RotaryOptions {
  unit: number;
  threads: number;
  /** WGSL: whether this workgroup puts key and value into the cache. */
  keeps: string;
}

/** The arrays that {@link rotaryOfWorkgroup} reads, from a binding on; a head has whole vectors of four in each half. */
export const rotaryArrays = (binding: number, bias: boolean): string =>
  `@group(0) @binding(${binding}) var<storage, read> qkv: array<vec4<f32>>; // [rows, (heads + 2 kvHeads) hd]
@group(0) @binding(${binding + 1}) var<storage, read> table: array<vec4<f32>>; // [positions, hd / 2, 2]
${
    bias
      ? `@group(0) @binding(${
        binding + 2
      }) var<storage, read> bias: array<vec4<f32>>; // [(heads + 2 kvHeads) hd]
fn biased(at: u32, inRow: u32) -> vec4<f32> { return qkv[at] + bias[inRow]; }`
      : "fn biased(at: u32, inRow: u32) -> vec4<f32> { return qkv[at]; }"
  }`;

/**
 * WGSL for GPUs by which a workgroup rotates the heads of one row and key/value head, with the bits of rotary.wgsl: the queries, of
 * `GROUP` heads, into workgroup memory as `queries`, key and value to their place `keyHead` in k and v, arrays of words.
 */
export function rotaryOfWorkgroup(
  { headDim }: Pick<Heads, "headDim">,
  { unit, threads, keeps }: RotaryOptions,
): string {
  const words = range(unit).map((e) => `bitcast<u32>(four[part + ${e}u])`);
  const element = unit === 1 ? words[0] : `vec${unit}<u32>(${words.join(", ")})`;
  return `
  {
    const HALF = ${headDim / 8}u; // vectors in half a head
    let keep = ${keeps};
    let start = row * (p.heads + 2u * p.kvHeads) * 2u * HALF;
    let keyHead = m.z + position - m.y;
    for (var i = thread; i < (GROUP + 1u) * HALF; i += ${threads}u) {
      let head = i / HALF;
      let c = i % HALF;
      let inRow = select(p.heads + kvHead, kvHead * GROUP + head, head < GROUP) * 2u * HALF + c;
      let a = biased(start + inRow, inRow);
      let b = biased(start + inRow + HALF, inRow + HALF);
      let t = table[2u * (position * HALF + c)];
      let u = table[2u * (position * HALF + c) + 1u];
      let cosines = vec4<f32>(t.x, t.z, u.x, u.z);
      let sines = vec4<f32>(t.y, t.w, u.y, u.w);
      let x = fma(a, cosines, -(b * sines));
      let y = fma(b, cosines, a * sines);
      if (head < GROUP) {
        queries[head * 2u * HALF + c] = x;
        queries[head * 2u * HALF + c + HALF] = y;
      } else if (keep) {
        let to = (keyHead * p.kvHeads + kvHead) * 2u * HALF + c;
        k[to] = bitcast<vec4<u32>>(x);
        k[to + HALF] = bitcast<vec4<u32>>(y);
      }
    }
    if (keep) {
      for (var i = thread; i < ${headDim / unit}u; i += ${threads}u) {
        let inRow = (p.heads + p.kvHeads + kvHead) * 2u * HALF + i * ${unit}u / 4u;
        let four = biased(start + inRow, inRow);
        let part = i * ${unit}u % 4u;
        v[(keyHead * p.kvHeads + kvHead) * ${headDim / unit}u + i] = ${element};
      }
    }
  }
  storageBarrier();`;
}
