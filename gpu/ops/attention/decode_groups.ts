import { lines, range, xyzw } from "../wgsl/text.ts";
import { VEC8 } from "../wgsl/vec8.ts";
import { loadWords, wordArray } from "../wgsl/load_words.ts";
import { rotaryOfGroup } from "../rotary/rotary_vec8.ts";
import { broadcastHeads, headArray, type HeadLoads, headLoads, loadHead } from "./load_heads.ts";
import { declareMerged, mergeSplit } from "./merge_splits.ts";
import { type AttentionDevice, type AttentionShape, blockOf, header } from "./shape.ts";

/** Query heads of one key/value head that a workgroup takes: as many as its registers and the compiler bear. */
function headsPerWorkgroup({ headDim, group }: AttentionShape): number {
  const most = Math.max(1, Math.min(4, Math.floor(512 / headDim)));
  return Math.ceil(group / Math.ceil(group / most));
}

/** Workgroups that a row and key/value head take. */
export const workgroupsPerGroup = (shape: AttentionShape): number =>
  Math.ceil(shape.group / headsPerWorkgroup(shape));

/** Sizes of {@link groupForward}: a step takes `keysPerStep` keys, `keysPerLane` a lane, which sums `dims` of a head. */
interface GroupPlan {
  loads: HeadLoads;
  block: number;
  keysPerLane: number;
  keysPerStep: number;
  /** Query heads of the workgroup. */
  heads: number;
  dims: number;
  /** A head is divided among lanes in `units` pieces of `unit` numbers: piece lane + i S for each i below `each`. */
  pieces: { unit: number; units: number; each: number };
}

function planGroup(shape: AttentionShape, device: AttentionDevice): GroupPlan {
  const { headDim } = shape;
  const { subgroup, u64 } = device;
  const block = blockOf(headDim).keys;
  const keysPerLane = Math.max(1, block / subgroup);
  const fits = (unit: number) => headDim % unit === 0 && headDim / unit >= subgroup;
  const unit = [...(u64 ? [8] : []), 4, 2].find(fits) ?? 1;
  const units = headDim / unit;
  const each = Math.ceil(units / subgroup);
  return {
    loads: headLoads(shape, device),
    block,
    keysPerLane,
    keysPerStep: keysPerLane * subgroup,
    heads: headsPerWorkgroup(shape),
    dims: each * unit,
    pieces: { unit, units, each },
  };
}

/** Value of a step's key in all lanes, from `name`_0, `name`_1, ... which hold those of the lane's keys. */
const fromKey = (name: string, key: number, subgroup: number): string =>
  `subgroupBroadcast(${name}_${Math.floor(key / subgroup)}, ${key % subgroup}u)`;

/** The workgroup's queries, whole in all lanes: vectors `qq`{head * vectors of a head + index}. */
function groupQueries({ loads, heads }: GroupPlan): string {
  const { load, value } = broadcastHeads(
    "qq",
    "q",
    heads,
    loads,
    (head) => `row * p.heads + kvHead * GROUP + min(firstHead + ${head}, GROUP - 1u)`,
  );
  const vectors = lines(heads, (g) =>
    lines(loads.vec4s, (c) => {
      const numbers = range(4).map((e) => value(g, c * 4 + e));
      return `    let qq${g * loads.vec4s + c} = vec4<f32>(${numbers.join(", ")});`;
    }));
  return `${load}\n${vectors}`;
}

/** Scores of the lane's keys for each head: chains of fma over ascending dimensions, side by side. */
function groupScores({ loads, keysPerLane, heads }: GroupPlan): string {
  const { vec4s, subgroup } = loads;
  const all = (make: (g: number, e: number) => string) =>
    lines(heads, (g) => lines(keysPerLane, (e) => make(g, e)));
  const keys = lines(
    keysPerLane,
    (e) =>
      `    let key${e} = j + ${e * subgroup}u + lane; let in${e} = key${e} <= position;
    let at_${e} = keyRow(m, min(key${e}, position)) * p.kvHeads + kvHead;\n` +
      loadHead(`k${e}_`, "k", `at_${e}`, loads),
  );
  const sums = lines(
    vec4s,
    (c) =>
      xyzw.map((x) =>
        all((g, e) => `    s${g}_${e} = fma(qq${g * vec4s + c}.${x}, k${e}_${c}.${x}, s${g}_${e});`)
      )
        .join("\n"),
  );
  return `${keys}
${all((g, e) => `    var s${g}_${e} = 0.0;`)}
${sums}
${all((g, e) => `    s${g}_${e} = select(-3.0e38, s${g}_${e} * p.scale, in${e});`)}`;
}

/** From the scores: the largest up to each block, and with it the weights of the lanes' keys and the blocks' factors. */
function groupWeights({ loads: { subgroup }, block, keysPerLane, keysPerStep, heads }: GroupPlan): string {
  const blocks = keysPerStep / block;
  const ofLane = (e: number, top: (b: number) => string) => {
    const first = Math.floor(e * subgroup / block);
    return range(Math.max(1, subgroup / block) - 1).reduce(
      (chosen, b) => `select(${chosen}, ${top(first + b + 1)}, lane >= ${(b + 1) * block}u)`,
      top(first),
    );
  };
  return lines(heads, (g) => {
    const before = (b: number) => b === 0 ? `rowMax${g}` : `newMax${g}_${b - 1}`;
    const tops = lines(blocks, (b) => {
      const top = range(block).reduce(
        (top, t) => `max(${top}, ${fromKey(`s${g}`, b * block + t, subgroup)})`,
        before(b),
      );
      return `    let newMax${g}_${b} = ${top};`;
    });
    const weights = lines(
      keysPerLane,
      (e) =>
        `    let t${g}_${e} = ${ofLane(e, (b) => `newMax${g}_${b}`)};
    let w${g}_${e} = select(0.0, exp(s${g}_${e} - t${g}_${e}), in${e});
    let f${g}_${e} = exp(${ofLane(e, before)} - t${g}_${e});`,
    );
    return `${tops}\n${weights}`;
  });
}

/** Values of a step's keys, pieces of the head in the lanes, and what they add, block by block. */
function groupValues(plan: GroupPlan, u64: boolean): string {
  const { loads: { subgroup }, block, keysPerStep, heads, dims, pieces } = plan;
  const blocks = keysPerStep / block;
  const values = lines(
    keysPerStep,
    (t) =>
      `    let vAt${t} = ${fromKey("at", t, subgroup)} * ${pieces.units}u;\n` +
      lines(pieces.each, (i) => {
        const at = `vAt${t} + min(lane + ${i * subgroup}u, ${pieces.units - 1}u)`;
        const { text, words } = loadWords(`v${t}_${i}_`, "v", at, pieces.unit, pieces.unit, u64);
        return `${text}\n` +
          words.map((word, e) => `    let v${t}_${i * pieces.unit + e} = bitcast<f32>(${word});`).join("\n");
      }),
  );
  const ofBlock = (b: number, make: (key: number) => string) => lines(block, (t) => make(b * block + t));
  const fold = (g: number) => `
${
    lines(blocks, (b) =>
      `    let rescale${g}_${b} = ${
        fromKey(`f${g}`, b * block, subgroup)
      }; sum${g} = sum${g} * rescale${g}_${b};\n` +
      ofBlock(b, (key) =>
        `    let u${g}_${key} = ${fromKey(`w${g}`, key, subgroup)}; sum${g} = sum${g} + u${g}_${key};`))
  }
${
    lines(dims, (d) =>
      lines(blocks, (b) =>
        `    acc${g}_${d} = acc${g}_${d} * rescale${g}_${b};\n` +
        ofBlock(b, (key) => `    acc${g}_${d} = fma(u${g}_${key}, v${key}_${d}, acc${g}_${d});`)))
  }
    rowMax${g} = newMax${g}_${blocks - 1};`;
  return values + lines(heads, fold);
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

/** Options of {@link groupForward}. */
interface GroupOptions {
  /** Workgroup z folds the keys of split z alone, and leaves sums and softmax to `mergeSplits`. */
  partial?: boolean;
  /** The workgroup first makes queries, key and value from the projections' row, as rotary.wgsl does. */
  rotary?: { bias: boolean };
}

/**
 * Decoding, where rows have keys of their own: one subgroup a row and key/value head, for the query heads that share
 * it. Lanes are keys while scores are made and pieces of the head while values are summed, so that each key and value is read
 * once. Sums are those of `rowsForward`, to the bit: the largest score of a block does not depend on the order, and all
 * else is folded block by block.
 */
export function groupForward(
  shape: AttentionShape,
  device: AttentionDevice,
  { partial = false, rotary }: GroupOptions = {},
): string {
  const plan = planGroup(shape, device);
  const { loads, keysPerStep, heads, dims, pieces } = plan;
  const { split } = device;
  const parts = workgroupsPerGroup(shape);
  const each = (make: (g: number) => string) => lines(heads, make);
  const sums = (g: number) => range(dims).map((d) => `acc${g}_${d}`);
  const head = (g: number) => `(row * p.heads + kvHead * GROUP + firstHead + ${g}u)`;
  const splitIndex = (g: number) => `(${head(g)} * p.splits + wg.z)`;
  const stored = partial
    ? storeHeads(plan, "partial", splitIndex, (g, d) => `acc${g}_${d}`)
    : storeHeads(plan, "out", head, (g, d) => `${split ? "merged" : "acc"}${g}_${d} * inverse${g}`);
  const finish = partial
    ? each((g) =>
      `  if (lane == 0u && firstHead + ${g}u < GROUP) { stats[${
        splitIndex(g)
      }] = vec2<f32>(rowMax${g}, sum${g}); }`
    )
    : each((g) => `  let inverse${g} = 1.0 / ${split ? `mergedSum${g}` : `sum${g}`};`);
  const begin = partial ? `wg.z * ${split}u` : "0u";
  const body = `${groupScores(plan)}\n${groupWeights(plan)}\n${groupValues(plan, device.u64)}`;
  const loop = (last: string) => `  for (; j <= ${last}; j += ${keysPerStep}u) {\n${body}\n  }`;
  const keysOf = split === undefined
    ? loop("position")
    : partial
    ? loop(`min(position, wg.z * ${split}u + ${split - 1}u)`)
    : `  while (j <= position) {
  let splitEnd = j + ${split - 1}u;
${loop("min(position, splitEnd)")}
${each((g) => mergeSplit(String(g), sums(g)))}
  }`;
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
${projections}
${
    partial
      ? `@group(0) @binding(5) var<storage, read_write> partial: array<${stored.type}>; // [rows, heads, splits, hd]
@group(0) @binding(6) var<storage, read_write> stats: array<vec2<f32>>; // largest score and sum [rows, heads, splits]`
      : `@group(0) @binding(5) var<storage, read_write> out: array<${stored.type}>;`
  }
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
  var j = ${begin};
  if (j > position) { return; }
${groupQueries(plan)}
${
    each((g) =>
      `  var rowMax${g} = -3.0e38; var sum${g} = 0.0; ${
        sums(g).map((sum) => `var ${sum} = 0.0;`).join(" ")
      }` +
      (split && !partial ? `\n${declareMerged(String(g), sums(g))}` : "")
    )
  }
${keysOf}
${finish}
${stored.text}
}`;
}
