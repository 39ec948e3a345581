import { lines, range } from "../wgsl/text.ts";
import { VEC8 } from "../wgsl/vec8.ts";
import { wordArray } from "../wgsl/load_words.ts";
import { rotaryOfGroup } from "../rotary/rotary_vec8.ts";
import {
  byBroadcast,
  type GroupPlan,
  groupScores,
  groupValues,
  groupWeights,
  planGroup,
  workgroupsPerGroup,
} from "./group_code.ts";
import { broadcastHeads, headArray } from "./load_heads.ts";
import { type AttentionDevice, type AttentionShape, header } from "./shape.ts";

/** The workgroup's queries times the scale, whole in all lanes: vectors `qq`{head * vectors of a head + index}. */
function groupQueries({ loads, heads }: GroupPlan): string {
  const { load, value } = broadcastHeads(
    "qq",
    "q",
    heads,
    loads,
    (head) => `row * p.heads + kvHead * GROUP + min(firstHead + ${head}, GROUP - 1u)`,
    "p.scale",
  );
  const vectors = lines(heads, (g) =>
    lines(loads.vec4s, (c) => {
      const numbers = range(4).map((e) => value(g, c * 4 + e));
      return `    let qq${g * loads.vec4s + c} = vec4<f32>(${numbers.join(", ")});`;
    }));
  return `${load}\n${vectors}`;
}

/** Writes the lane's pieces of the heads, each number as `value(g, d)`, from vector \`at(g)\` units on. */
function storeHeads(
  { loads: { subgroup }, heads, pieces }: GroupPlan,
  array: string,
  at: (g: number) => string,
  value: (g: number, d: number) => string,
): { type: string; text: string } {
  const width = Math.min(4, pieces.unit);
  const type = width === 1 ? "f32" : `vec${width}<f32>`;
  const vectors = pieces.unit / width;
  const text = lines(heads, (g) =>
    `  if (firstHead + ${g}u < GROUP) {\n` +
    lines(pieces.each, (i) =>
      `    if (lane + ${i * subgroup}u < ${pieces.units}u) {\n` +
      lines(vectors, (h) => {
        const numbers = range(width).map((e) => value(g, i * pieces.unit + h * width + e)).join(", ");
        const index = `(${at(g)} * ${pieces.units}u + lane + ${i * subgroup}u) * ${vectors}u + ${h}u`;
        return `      ${array}[${index}] = ${width === 1 ? numbers : `${type}(${numbers})`};`;
      }) + "\n    }") +
    "\n  }");
  return { type, text };
}

/**
 * Decoding on software devices, where rows have keys of their own: one subgroup a row and key/value head, for the query heads that
 * share it. Lanes are keys while scores are made and pieces of the head while values are summed, so that each key and value is read
 * once. Sums are those of `rowsForward`, to the bit: the largest score of a block does not depend on the order, and all
 * else is folded block by block.
 * @param rotary the workgroup first makes queries, key and value from the projections' row, as rotary.wgsl does
 */
export function groupForward(
  shape: AttentionShape,
  device: AttentionDevice,
  rotary?: { bias: boolean },
): string {
  const plan = planGroup(shape, device, byBroadcast);
  const { loads, keysPerStep, heads, dims, pieces } = plan;
  const parts = workgroupsPerGroup(shape);
  const each = (make: (g: number) => string) => lines(heads, make);
  const head = (g: number) => `(row * p.heads + kvHead * GROUP + firstHead + ${g}u)`;
  const stored = storeHeads(plan, "out", head, (g, d) => `acc${g}_${d} * inverse${g}`);
  const access = rotary ? "read_write" : "read";
  const projections = rotary
    ? `@group(0) @binding(6) var<storage, read> qkv: array<E>; // [rows, (heads + 2 kvHeads) hd]
@group(0) @binding(7) var<storage, read> table: array<E>; // [positions, hd / 2, 2]
${rotary.bias ? "@group(0) @binding(8) var<storage, read> bias: array<E>; // [(heads + 2 kvHeads) hd]" : ""}`
    : "";
  return `${header(shape, device.subgroup)}${rotary ? VEC8 : ""}
@group(0) @binding(1) var<storage, ${access}> q: ${headArray(loads)};
@group(0) @binding(2) var<storage, ${access}> k: ${headArray(loads)};
@group(0) @binding(3) var<storage, ${access}> v: ${wordArray(pieces.unit, device.u64)};
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> out: array<${stored.type}>;
${projections}
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let i = wg.y * n.x + wg.x;
  let row = i / ${parts}u / p.kvHeads;
  if (row >= p.rows) { return; }
  let kvHead = i / ${parts}u % p.kvHeads;
  let firstHead = i % ${parts}u * ${heads}u;
  let m = rowMeta[row];
  let position = m.w + p.shift;
${rotary ? `  let keyAt = m.z + position - m.y;${rotaryOfGroup(shape, rotary.bias)}` : ""}
${groupQueries(plan)}
${
    each((g) =>
      `  var rowMax${g} = -3.0e38; var sum${g} = 0.0; ${
        range(dims).map((d) => `var acc${g}_${d} = 0.0;`).join(" ")
      }`
    )
  }
  for (var j = 0u; j <= position; j += ${keysPerStep}u) {
${groupScores(plan, (g, c) => `qq${g * loads.vec4s + c}`)}
${groupWeights(plan)}
${groupValues(plan, device.u64)}
  }
${each((g) => `  let inverse${g} = 1.0 / sum${g};`)}
${stored.text}
}`;
}
