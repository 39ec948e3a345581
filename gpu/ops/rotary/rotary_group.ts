import { headScale } from "../norm/head_norm_row.ts";
import { range } from "../wgsl/text.ts";
import type { Heads } from "../heads.ts";

/** What is done before the rotation. */
export interface BeforeRotary {
  /** The projections' bias is added. */
  bias?: boolean;
  /** The heads of Q and K are normed, with this epsilon; not beside a bias. */
  headNorm?: number;
}

/** Words of an element of v, and threads of the workgroup, for {@link rotaryOfWorkgroup}. */
interface RotaryOptions {
  before: BeforeRotary;
  unit: number;
  threads: number;
  /** WGSL: whether this workgroup puts key and value into the cache. */
  keeps: string;
}

/** Arrays that {@link rotaryOfWorkgroup} reads. */
export const rotaryInputs = ({ bias, headNorm }: BeforeRotary): number =>
  2 + (headNorm !== undefined ? 2 : bias ? 1 : 0);

/** They are bindings 1, 2, ...; a head has whole vectors of four in each half. */
export function rotaryArrays(
  { headDim, group }: { headDim: number; group: number },
  { bias, headNorm }: BeforeRotary,
): string {
  const array = (binding: number, name: string, shape: string) =>
    `@group(0) @binding(${binding}) var<storage, read> ${name}: array<vec4<f32>>; // ${shape}\n`;
  const inputs = array(1, "qkv", "[rows, (heads + 2 kvHeads) hd]") +
    array(2, "table", "[positions, hd / 2, 2]");
  if (headNorm !== undefined) {
    return `${inputs}${array(3, "qNorm", "[hd]")}${array(4, "kNorm", "[hd]")}
var<workgroup> scales: array<f32, ${group + 1}>;
${headScale(headDim / 4, String(headNorm), (i) => `qkv[${i}]`)}`;
  }
  return bias
    ? `${inputs}${array(3, "bias", "[(heads + 2 kvHeads) hd]")}
fn biased(at: u32, inRow: u32) -> vec4<f32> { return qkv[at] + bias[inRow]; }`
    : `${inputs}fn biased(at: u32, inRow: u32) -> vec4<f32> { return qkv[at]; }`;
}

/**
 * WGSL for GPUs by which a workgroup rotates the heads of one row and key/value head, with the bits of rotary.wgsl, and
 * before it of head_norm_row.ts: the queries, of `GROUP` heads, times the scale into workgroup memory as `queries`, key and value to their place
 * `keyHead` in k and v, arrays of words.
 */
export function rotaryOfWorkgroup(
  { headDim }: Pick<Heads, "headDim">,
  { before, unit, threads, keeps }: RotaryOptions,
): string {
  const normed = before.headNorm !== undefined;
  const scaleHeads = `
    for (var head = thread; head <= GROUP; head += ${threads}u) {
      scales[head] = headScale(start + select(p.heads + kvHead, kvHead * GROUP + head, head < GROUP) * 2u * HALF);
    }
    workgroupBarrier();`;
  const half = (offset: string) =>
    normed
      ? `qkv[start + inRow${offset}] * scales[head] * select(kNorm[c${offset}], qNorm[c${offset}], head < GROUP)`
      : `biased(start + inRow${offset}, inRow${offset})`;
  const words = range(unit).map((e) => `bitcast<u32>(four[part + ${e}u])`);
  const element = unit === 1 ? words[0] : `vec${unit}<u32>(${words.join(", ")})`;
  return `
  {
    const HALF = ${headDim / 8}u; // vectors in half a head
    let keep = ${keeps};
    let start = row * (p.heads + 2u * p.kvHeads) * 2u * HALF;
    let keyHead = m.z + position - m.y;${normed ? scaleHeads : ""}
    for (var i = thread; i < (GROUP + 1u) * HALF; i += ${threads}u) {
      let head = i / HALF;
      let c = i % HALF;
      let inRow = select(p.heads + kvHead, kvHead * GROUP + head, head < GROUP) * 2u * HALF + c;
      let a = ${half("")};
      let b = ${half(" + HALF")};
      let t = table[2u * (position * HALF + c)];
      let u = table[2u * (position * HALF + c) + 1u];
      let cosines = vec4<f32>(t.x, t.z, u.x, u.z);
      let sines = vec4<f32>(t.y, t.w, u.y, u.w);
      let x = fma(a, cosines, -(b * sines));
      let y = fma(b, cosines, a * sines);
      if (head < GROUP) {
        queries[head * 2u * HALF + c] = x * p.scale;
        queries[head * 2u * HALF + c + HALF] = y * p.scale;
      } else if (keep) {
        let to = (keyHead * p.kvHeads + kvHead) * 2u * HALF + c;
        k[to] = bitcast<vec4<u32>>(x);
        k[to + HALF] = bitcast<vec4<u32>>(y);
      }
    }
    if (keep) {
      for (var i = thread; i < ${headDim / unit}u; i += ${threads}u) {
        let inRow = (p.heads + p.kvHeads + kvHead) * 2u * HALF + i * ${unit}u / 4u;
        let four = ${normed ? "qkv[start + inRow]" : "biased(start + inRow, inRow)"};
        let part = i * ${unit}u % 4u;
        v[(keyHead * p.kvHeads + kvHead) * ${headDim / unit}u + i] = ${element};
      }
    }
  }
  storageBarrier();`;
}
