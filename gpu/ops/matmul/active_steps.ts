import type { Gpu } from "../../gpu.ts";
import type { KernelSource } from "../../kernel.ts";
import { loadWords, wordArray } from "../wgsl/load_words.ts";

/**
 * The kernel that lists, for each tile of `rows` rows of A [m, k], the k-steps of `length` terms in which any of
 * them is not zero: list[dispatch, tile] = (how many, the first term of each, ascending), for dispatches of `span` steps. One
 * subgroup a dispatch and tile, a lane a step.
 */
export function activeSteps(
  rows: number,
  length: number,
  words: number,
  { subgroupSize, u64Loads }: Gpu,
): KernelSource {
  const perStep = length / words;
  const row = (i: number) => {
    const at = `(p.aOff + min(wg.x * ${rows}u + ${i}u, p.m - 1u) * p.lda) / ${words}u + step * ${perStep}u`;
    const loaded = loadWords(`r${i}_`, "a", at, length, words, u64Loads);
    // Both zeros count as none: all bits but the sign.
    return `${loaded.text}\n    bits = bits | ((${loaded.words.join(" | ")}) << 1u);`;
  };
  const code = () => `
struct Params { m: u32, lda: u32, aOff: u32, steps: u32, span: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: ${wordArray(words, u64Loads)};
@group(0) @binding(2) var<storage, read_write> list: array<u32>;
@compute @workgroup_size(${subgroupSize})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let start = (wg.y * n.x + wg.x) * (p.span + 1u);
  let end = min(p.steps, (wg.y + 1u) * p.span);
  var count = 0u;
  for (var first = wg.y * p.span; first < end; first += ${subgroupSize}u) {
    let mine = first + lane;
    let step = min(mine, end - 1u);
    var bits = 0u;
${[...Array(rows).keys()].map(row).join("\n")}
    let listed = select(0u, 1u, bits != 0u && mine < end);
    let index = count + subgroupExclusiveAdd(listed);
    if (listed == 1u) { list[start + 1u + index] = mine * ${length}u; }
    count += subgroupAdd(listed);
  }
  if (lane == 0u) { list[start] = count; }
}`;
  return { label: `active_steps_${rows}x${length}_${words}`, code };
}
