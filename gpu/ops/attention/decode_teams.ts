import { lines, range } from "../wgsl/text.ts";
import { wordArray } from "../wgsl/load_words.ts";
import { type BeforeRotary, rotaryArrays, rotaryInputs, rotaryOfWorkgroup } from "../rotary/rotary_group.ts";
import { groupScores, groupValues, groupWeights, planGroup, workgroupsPerGroup } from "./group_code.ts";
import { headArray } from "./load_heads.ts";
import { declareMerged, mergeSplit } from "./merge_splits.ts";
import { type AttentionDevice, type AttentionShape, header } from "./shape.ts";

/** Options of {@link teamsForward}. */
export interface TeamsOptions {
  /** Splits that a workgroup folds side by side. */
  slots: number;
  /** Workgroup z folds as many splits from z slots on, and leaves their sums to `mergeSplits`. */
  partial: boolean;
  /** The workgroup makes queries, key and value from the projections' row. */
  rotary?: BeforeRotary;
}

/** The most threads that a workgroup takes. */
export const MOST_THREADS = 512;

/** Threads of a workgroup: teams of S lanes, one for each slot and part of the query heads. */
export const teamThreads = (shape: AttentionShape, subgroup: number, slots: number): number =>
  subgroup * workgroupsPerGroup(shape) * slots;

/** Bytes of workgroup memory: queries, the sums and softmax of each slot, and the scales of normed heads. */
export const teamBytes = ({ headDim, group }: AttentionShape, slots: number): number =>
  4 * (group * (headDim + slots * (headDim + 2)) + group + 1);

/**
 * Decoding on GPUs: one workgroup a row and key/value head. A team of S lanes folds one split of keys for some of the query heads
 * that share it, as a subgroup of `groupForward` folds all keys; then the workgroup adds up its splits in ascending order, a
 * number a thread, and goes on to the next ones. Control flow is the same for all teams, so that a subgroup may hold several:
 * those whose split lies past the last key fold what weighs 0.
 */
export function teamsForward(
  shape: AttentionShape,
  device: AttentionDevice,
  { slots, partial, rotary }: TeamsOptions,
): string {
  const parts = workgroupsPerGroup(shape);
  const teams = parts * slots;
  const plan = planGroup(
    shape,
    device,
    (value, lane) =>
      teams === 1 ? `subgroupBroadcast(${value}, ${lane}u)` : `subgroupShuffle(${value}, base + ${lane}u)`,
  );
  const { loads, keysPerStep, heads, dims, pieces } = plan;
  const split = device.split!;
  const threads = teamThreads(shape, device.subgroup, slots);
  const access = rotary ? "read_write" : "read";
  const at = (g: number) => `min(firstHead + ${g}u, GROUP - 1u)`;
  // The numbers of the lane's pieces.
  const store = (g: number, to: (dim: string) => string) =>
    lines(dims, (d) => {
      const piece = `lane + ${Math.floor(d / pieces.unit) * device.subgroup}u`;
      const dim = `(${piece}) * ${pieces.unit}u + ${d % pieces.unit}u`;
      return `      if (${piece} < ${pieces.units}u) { ${to(dim)} = acc${g}_${d}; }`;
    });
  const inGroup = (make: (g: number) => string) =>
    lines(heads, (g) => `    if (firstHead + ${g}u < GROUP) {\n${make(g)}\n    }`);
  const fold = `
    let first = round * ${slots * split}u;
    let most = min(position - first, ${split - 1}u);
${
    lines(heads, (g) =>
      `    var rowMax${g} = -3.0e38; var sum${g} = 0.0; ${
        range(dims).map((d) =>
          `var acc${g}_${d} = 0.0;`
        ).join(" ")
      }`)
  }
    for (var step = 0u; step <= most; step += ${keysPerStep}u) {
      let j = first + slot * ${split}u + step;
${groupScores(plan, (g, c) => `queries[${at(g)} * HQ + ${c}u]`)}
${groupWeights(plan)}
${groupValues(plan, false)}
    }`;
  return `${header(shape, device.subgroup)}
${rotary ? rotaryArrays(shape, rotary) : "@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;"}
${
    [
      `var<storage, ${access}> k: ${headArray(loads)};`,
      `var<storage, ${access}> v: ${wordArray(pieces.unit, false)};`,
      "var<storage, read> rowMeta: array<vec4<u32>>;",
      ...(partial
        ? [
          "var<storage, read_write> partial: array<f32>; // [rows, heads, splits, hd]",
          "var<storage, read_write> stats: array<vec2<f32>>; // largest score and sum [rows, heads, splits]",
        ]
        : ["var<storage, read_write> out: array<f32>;"]),
    ].map((text, i) => `@group(0) @binding(${i + 1 + (rotary ? rotaryInputs(rotary) : 1)}) ${text}`).join(
      "\n",
    )
  }
var<workgroup> queries: array<vec4<f32>, ${shape.group * shape.headDim / 4}>;
${
    partial ? "" : `var<workgroup> slotSums: array<f32, ${slots * shape.group * shape.headDim}>;
var<workgroup> slotStats: array<vec2<f32>, ${slots * shape.group}>;`
  }
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) lanes: u32, @builtin(subgroup_invocation_id) own: u32,
) {
  let thread = subgroup * lanes + own;
  let lane = own % S;
  let base = own - lane;
  let slot = thread / ${parts * device.subgroup}u;
  let firstHead = thread / S % ${parts}u * ${heads}u;
  let i = wg.y * n.x + wg.x;
  let row = i / p.kvHeads;
  if (row >= p.rows) { return; }
  let kvHead = i % p.kvHeads;
  let m = rowMeta[row];
  let position = m.w + p.shift;
  let last = position / ${split}u;
${partial ? `  if (wg.z * ${slots}u > last) { return; }` : ""}
${
    rotary
      ? rotaryOfWorkgroup(shape, {
        before: rotary,
        unit: pieces.unit,
        threads,
        keeps: partial ? `wg.z == last / ${slots}u` : "true",
      })
      : `  for (var at = thread; at < GROUP * HQ; at += ${threads}u) {
    queries[at] = q[(row * p.heads + kvHead * GROUP) * HQ + at] * p.scale;
  }`
  }
  workgroupBarrier();
${
    partial
      ? `  let round = wg.z;${fold}
  let split = round * ${slots}u + slot;
  if (split <= last) {
${
        inGroup((g) => {
          const index = `((row * p.heads + kvHead * GROUP + firstHead + ${g}u) * p.splits + split)`;
          return `      if (lane == 0u) { stats[${index}] = vec2<f32>(rowMax${g}, sum${g}); }
${store(g, (dim) => `partial[${index} * HQ * 4u + ${dim}]`)}`;
        })
      }
  }`
      : mergedRounds(shape, slots, threads, fold, inGroup, store)
  }
}`;
}

/** The rounds over all splits, after each of which the workgroup adds up what the slots have, and then the output. */
function mergedRounds(
  { group, headDim }: AttentionShape,
  slots: number,
  threads: number,
  fold: string,
  inGroup: (make: (g: number) => string) => string,
  store: (g: number, to: (dim: string) => string) => string,
): string {
  const numbers = group * headDim;
  const each = (make: (i: number) => string) => lines(Math.ceil(numbers / threads), make);
  // Past the last number a thread adds up that one again.
  const own = (i: number) =>
    (i + 1) * threads > numbers
      ? `min(thread + ${i * threads}u, ${numbers - 1}u)`
      : `thread + ${i * threads}u`;
  return `${each((i) => `  let number${i} = ${own(i)};\n${declareMerged(`_${i}`, [`acc_${i}`])}`)}
  for (var round = 0u; round * ${slots}u <= last; round++) {${fold}
${
    inGroup((g) =>
      `      let to = slot * GROUP + firstHead + ${g}u;
      if (lane == 0u) { slotStats[to] = vec2<f32>(rowMax${g}, sum${g}); }
${store(g, (dim) => `slotSums[to * HQ * 4u + ${dim}]`)}`
    )
  }
    workgroupBarrier();
    let count = min(${slots}u, last + 1u - round * ${slots}u);
    for (var s = 0u; s < count; s++) {
${
    each((i) =>
      `      var rowMax_${i} = slotStats[s * GROUP + number${i} / ${headDim}u].x;
      var sum_${i} = slotStats[s * GROUP + number${i} / ${headDim}u].y;
      var acc_${i} = slotSums[s * ${numbers}u + number${i}];
${mergeSplit(`_${i}`, [`acc_${i}`])}`
    )
  }
    }
    workgroupBarrier();
  }
${
    each((i) =>
      `  if (thread + ${
        i * threads
      }u < ${numbers}u) { out[(row * p.heads + kvHead * GROUP) * HQ * 4u + number${i}] = merged_${i} * (1.0 / mergedSum_${i}); }`
    )
  }`;
}
