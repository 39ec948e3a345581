import { lines, range } from "../wgsl/text.ts";
import { type AttentionDevice, type AttentionShape, header } from "./shape.ts";

/** Declares what the splits of an item come to: `mergedMax`, `mergedSum` and its sums under the name `merged...`. */
export const declareMerged = (item: string, sums: readonly string[]): string =>
  `  var mergedMax${item} = -3.0e38; var mergedSum${item} = 0.0; ${
    sums.map((sum) => `var ${mergedOf(sum)} = 0.0;`).join(" ")
  }`;

const mergedOf = (sum: string): string => sum.replace("acc", "merged");

/**
 * Adds a split's softmax (`rowMax`, `sum` and the sums `acc...`) to those before it and begins the next. Every kernel does it in
 * this way and order, whether a workgroup takes all splits or one, so that their bits agree.
 */
export const mergeSplit = (item: string, sums: readonly string[]): string =>
  `    {
      let newMax = max(mergedMax${item}, rowMax${item});
      let before = exp(mergedMax${item} - newMax);
      let now = exp(rowMax${item} - newMax);
      mergedMax${item} = newMax; mergedSum${item} = fma(mergedSum${item}, before, sum${item} * now);
      rowMax${item} = -3.0e38; sum${item} = 0.0;
${
    sums.map((sum) => `      ${mergedOf(sum)} = fma(${mergedOf(sum)}, before, ${sum} * now); ${sum} = 0.0;`)
      .join("\n")
  }
    }`;

/**
 * The kernel that merges the splits which `groupForward` folded in workgroups of their own, in ascending order, as the other
 * kernels do in place. One subgroup a row and head.
 */
export function mergeSplits(shape: AttentionShape, device: AttentionDevice): string {
  const { subgroup, split } = device;
  const each = Math.ceil(shape.headDim / subgroup);
  const sums = range(each).map((i) => `acc0_${i}`);
  return `${header(shape, subgroup)}
@group(0) @binding(1) var<storage, read> partial: array<f32>; // [rows, heads, splits, hd]
@group(0) @binding(2) var<storage, read> stats: array<vec2<f32>>; // [rows, heads, splits]
@group(0) @binding(3) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let i = wg.y * n.x + wg.x;
  let row = i / p.heads;
  if (row >= p.rows) { return; }
  let last = (rowMeta[row].w + p.shift) / ${split}u;
  var rowMax0 = 0.0; var sum0 = 0.0; ${sums.map((sum) => `var ${sum} = 0.0;`).join(" ")}
${declareMerged("0", sums)}
  for (var s = 0u; s <= last; s++) {
    let at = i * p.splits + s;
    rowMax0 = stats[at].x; sum0 = stats[at].y;
${lines(each, (c) => `    acc0_${c} = partial[at * HQ * 4u + min(lane + ${c}u * S, HQ * 4u - 1u)];`)}
${mergeSplit("0", sums)}
  }
  let inverse = 1.0 / mergedSum0;
${
    lines(each, (c) =>
      `  if (lane + ${c}u * S < HQ * 4u) { out[i * HQ * 4u + lane + ${c}u * S] = merged0_${c} * inverse; }`)
  }
}`;
}
