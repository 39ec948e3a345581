import { comp, lines, range } from "../wgsl/text.ts";
import { VEC8 } from "../wgsl/vec8.ts";
import { arrayOf, loadWords } from "../wgsl/load_words.ts";
import {
  type AttentionDevice,
  type AttentionShape,
  declareAll,
  dot,
  HEADER,
  heads,
  type Lanes,
  lanesOf,
  mergeSplit,
  own,
  shared,
  turnOf,
} from "./attention_parts.ts";
import { rotaryOfGroup } from "../rotary/rotary_rows.ts";

/** One block of the online softmax: scores s0, s1, ... of positions j, j+1, ..., values through `value(key, vector)`. */
function softmaxBlock(block: number, hq: number, value: (j: number, c: number) => string): string {
  return `
    var top = best;
${lines(block, (j) => `    let in${j} = j + ${j}u <= position; if (in${j}) { top = max(top, s${j}); }`)}
    let shrink = exp(best - top);
    sum = sum * shrink;
${lines(block, (j) => `    let w${j} = select(0.0, exp(s${j} - top), in${j}); sum = sum + w${j};`)}
${
    lines(hq, (c) =>
      comp.map((e) =>
        `    acc${c}.${e} = acc${c}.${e} * shrink;\n` + lines(block, (j) =>
          `    acc${c}.${e} = fma(w${j}, ${value(j, c)}.${e}, acc${c}.${e});`)
      )
        .join("\n"))
  }
    best = top;`;
}

/** Forward, one invocation a row and head: for decoding, where rows share no keys. */
export function rowsForward(shape: AttentionShape, device: AttentionDevice): string {
  const lanes = lanesOf(shape, device);
  const { hq } = lanes;
  const { keys: block } = turnOf(shape.headDim);
  return `${HEADER(shape, device.subgroup)}
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: ${heads(lanes)};
@group(0) @binding(3) var<storage, read> v: ${heads(lanes)};
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * S + lane;
  let row = i / p.heads;
  if (row >= p.rows) { return; }
  let head = i % p.heads;
  let m = rowMeta[row];
  let position = m.w + p.shift;
  let kvHead = head / GROUP;
${lines(hq, (c) => `  let q${c} = q[i * HQ + ${c}u]; var acc${c} = vec4<f32>();`)}
  var best = -3.0e38;
  var sum = 0.0;
  for (var j = 0u; j <= position; j += ${block}u) {
${
    lines(block, (j) =>
      `    let at${j} = keyRow(m, min(j + ${j}u, position)) * p.kvHeads + kvHead;\n` +
      own(`k${j}_`, "k", `at${j}`, lanes) + "\n" +
      dot(`s${j}`, hq, (c) => `q${c}`, (c) => `k${j}_${c}`) + `\n    s${j} = s${j} * p.scale;\n` +
      own(`v${j}_`, "v", `at${j}`, lanes))
  }
${softmaxBlock(block, hq, (j, c) => `v${j}_${c}`)}
  }
  let inverse = 1.0 / sum;
${lines(hq, (c) => `  out[i * HQ + ${c}u] = acc${c} * inverse;`)}
}`;
}

/** Query heads of one key/value head that a workgroup takes: as many as its registers and the compiler bear. */
function headsTogether({ headDim, group }: AttentionShape): number {
  const most = Math.max(1, Math.min(4, Math.floor(512 / headDim)));
  return Math.ceil(group / Math.ceil(group / most));
}

/** Workgroups that a row and key/value head take. */
export const rowParts = (shape: AttentionShape): number => Math.ceil(shape.group / headsTogether(shape));

/** Sizes of {@link groupForward}: a turn takes `turn` keys, `perLane` of them a lane; the lane sums `dims` of a head. */
interface GroupPlan {
  lanes: Lanes;
  block: number;
  perLane: number;
  turn: number;
  together: number;
  dims: number;
  /** A head is spread over lanes in `units` pieces of `unit` numbers: piece lane + i S for each i below `each`. */
  pieces: { unit: number; units: number; each: number };
}

function planGroup(shape: AttentionShape, device: AttentionDevice): GroupPlan {
  const { headDim } = shape;
  const { subgroup, u64 } = device;
  const block = turnOf(headDim).keys;
  const perLane = Math.max(1, block / subgroup);
  const fits = (unit: number) => headDim % unit === 0 && headDim / unit >= subgroup;
  const unit = [...(u64 ? [8] : []), 4, 2].find(fits) ?? 1;
  const units = headDim / unit;
  const each = Math.ceil(units / subgroup);
  const pieces = { unit, units, each };
  const together = headsTogether(shape);
  return {
    lanes: lanesOf(shape, device),
    block,
    perLane,
    turn: perLane * subgroup,
    together,
    dims: each * unit,
    pieces,
  };
}

/** Value of a turn's key in all lanes, from `name`_0, `name`_1, ... which hold those of the lane's keys. */
const fromKey = (name: string, key: number, subgroup: number): string =>
  `subgroupBroadcast(${name}_${Math.floor(key / subgroup)}, ${key % subgroup}u)`;

/** Scores of the lane's keys for each head: chains of fma over ascending dimensions, side by side. */
function groupScores({ lanes, perLane, together }: GroupPlan): string {
  const { hq, subgroup } = lanes;
  const all = (make: (g: number, e: number) => string) =>
    lines(together, (g) => lines(perLane, (e) => make(g, e)));
  const keys = lines(
    perLane,
    (e) =>
      `    let key${e} = j + ${e * subgroup}u + lane; let in${e} = key${e} <= position;
    let at_${e} = keyRow(m, min(key${e}, position)) * p.kvHeads + kvHead;\n` +
      own(`k${e}_`, "k", `at_${e}`, lanes),
  );
  const sums = lines(
    hq,
    (c) =>
      comp.map((x) =>
        all((g, e) => `    s${g}_${e} = fma(qq${g * hq + c}.${x}, k${e}_${c}.${x}, s${g}_${e});`)
      )
        .join("\n"),
  );
  return `${keys}
${all((g, e) => `    var s${g}_${e} = 0.0;`)}
${sums}
${all((g, e) => `    s${g}_${e} = select(-3.0e38, s${g}_${e} * p.scale, in${e});`)}`;
}

/** From the scores: the largest up to each block, and with it the weights of the lanes' keys and the blocks' factors. */
function groupWeights({ lanes: { subgroup }, block, perLane, turn, together }: GroupPlan): string {
  const blocks = turn / block;
  const ofLane = (e: number, top: (b: number) => string) => {
    const first = Math.floor(e * subgroup / block);
    return range(Math.max(1, subgroup / block) - 1).reduce(
      (chosen, b) => `select(${chosen}, ${top(first + b + 1)}, lane >= ${(b + 1) * block}u)`,
      top(first),
    );
  };
  return lines(together, (g) => {
    const before = (b: number) => b === 0 ? `best${g}` : `top${g}_${b - 1}`;
    const tops = lines(blocks, (b) => {
      const top = range(block).reduce(
        (top, t) => `max(${top}, ${fromKey(`s${g}`, b * block + t, subgroup)})`,
        before(b),
      );
      return `    let top${g}_${b} = ${top};`;
    });
    const weights = lines(
      perLane,
      (e) =>
        `    let t${g}_${e} = ${ofLane(e, (b) => `top${g}_${b}`)};
    let w${g}_${e} = select(0.0, exp(s${g}_${e} - t${g}_${e}), in${e});
    let f${g}_${e} = exp(${ofLane(e, before)} - t${g}_${e});`,
    );
    return `${tops}\n${weights}`;
  });
}

/** Values of a turn's keys, parts of the head in the lanes, and what they add, block by block. */
function groupValues({ lanes, block, turn, together, dims, pieces }: GroupPlan, u64: boolean): string {
  const { subgroup } = lanes;
  const blocks = turn / block;
  const values = lines(turn, (t) =>
    `    let vAt${t} = ${fromKey("at", t, subgroup)} * ${pieces.units}u;\n` +
    lines(pieces.each, (i) => {
      const at = `vAt${t} + min(lane + ${i * subgroup}u, ${pieces.units - 1}u)`;
      const { text, words } = loadWords(`v${t}_${i}_`, "v", at, pieces.unit, pieces.unit, u64);
      return `${text}\n` +
        words.map((word, e) => `    let v${t}_${i * pieces.unit + e} = bitcast<f32>(${word});`).join("\n");
    }));
  const ofBlock = (b: number, make: (key: number) => string) => lines(block, (t) => make(b * block + t));
  const fold = (g: number) => `
${
    lines(blocks, (b) =>
      `    let shrink${g}_${b} = ${
        fromKey(`f${g}`, b * block, subgroup)
      }; sum${g} = sum${g} * shrink${g}_${b};\n` +
      ofBlock(b, (key) =>
        `    let u${g}_${key} = ${fromKey(`w${g}`, key, subgroup)}; sum${g} = sum${g} + u${g}_${key};`))
  }
${
    lines(dims, (d) =>
      lines(blocks, (b) =>
        `    acc${g}_${d} = acc${g}_${d} * shrink${g}_${b};\n` +
        ofBlock(b, (key) => `    acc${g}_${d} = fma(u${g}_${key}, v${key}_${d}, acc${g}_${d});`)))
  }
    best${g} = top${g}_${blocks - 1};`;
  return values + lines(together, fold);
}

/** Writes the lane's parts of the heads, each number as `value(g, d)`, from vector \`at(g)\` units on. */
function storeHeads(
  { lanes: { subgroup }, together, pieces }: GroupPlan,
  array: string,
  at: (g: number) => string,
  value: (g: number, d: number) => string,
): { type: string; text: string } {
  const width = Math.min(4, pieces.unit);
  const type = width === 1 ? "f32" : `vec${width}<f32>`;
  const vectors = pieces.unit / width;
  const text = lines(together, (g) =>
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
 * Forward of decoding, where rows have keys of their own: one subgroup a row and key/value head, for the query heads that share
 * it. Lanes are keys while scores are made and parts of the head while values are summed, so that each key and value is read
 * once. Sums are those of {@link rowsForward}, to the bit: the largest score of a block does not depend on the order, and all
 * else is folded block by block.
 *
 * With `parts`, workgroup z folds the keys of split z alone and leaves them to {@link mergeParts}. With `turned`, the workgroup
 * first makes queries, key and value from the projections' row, positions turned, as rotary.wgsl does.
 */
export function groupForward(
  shape: AttentionShape,
  device: AttentionDevice,
  { parts = false, turned }: { parts?: boolean; turned?: { bias: boolean } } = {},
): string {
  const plan = planGroup(shape, device);
  const { lanes, turn, together, dims, pieces } = plan;
  const { split } = device;
  const each = (make: (g: number) => string) => lines(together, make);
  const sums = (g: number) => range(dims).map((d) => `acc${g}_${d}`);
  const head = (g: number) => `(row * p.heads + kvHead * GROUP + firstHead + ${g}u)`;
  const partOf = (g: number) => `(${head(g)} * p.splits + wg.z)`;
  const stored = parts
    ? storeHeads(plan, "part", partOf, (g, d) => `acc${g}_${d}`)
    : storeHeads(plan, "out", head, (g, d) => `${split ? "all" : "acc"}${g}_${d} * inverse${g}`);
  const finish = parts
    ? each((g) =>
      `  if (lane == 0u && firstHead + ${g}u < GROUP) { stats[${partOf(g)}] = vec2<f32>(best${g}, sum${g}); }`
    )
    : each((g) => `  let inverse${g} = 1.0 / ${split ? `allSum${g}` : `sum${g}`};`);
  const begin = parts ? `wg.z * ${split}u` : "0u";
  const body = `${groupScores(plan)}\n${groupWeights(plan)}\n${groupValues(plan, device.u64)}`;
  const loop = (last: string) => `  for (; j <= ${last}; j += ${turn}u) {\n${body}\n  }`;
  const keysOf = split === undefined
    ? loop("position")
    : parts
    ? loop(`min(position, wg.z * ${split}u + ${split - 1}u)`)
    : `  while (j <= position) {
  let splitEnd = j + ${split - 1}u;
${loop("min(position, splitEnd)")}
${each((g) => mergeSplit(String(g), sums(g)))}
  }`;
  const access = turned ? "read_write" : "read";
  const projections = turned
    ? `@group(0) @binding(6) var<storage, read> qkv: array<E>; // [rows, (heads + 2 kvHeads) hd]
@group(0) @binding(7) var<storage, read> table: array<E>; // [positions, hd / 2, 2]
${turned.bias ? "@group(0) @binding(8) var<storage, read> bias: array<E>; // [(heads + 2 kvHeads) hd]" : ""}`
    : "";
  return `${HEADER(shape, device.subgroup)}${turned ? VEC8 : ""}
@group(0) @binding(1) var<storage, ${access}> q: ${heads(lanes)};
@group(0) @binding(2) var<storage, ${access}> k: ${heads(lanes)};
@group(0) @binding(3) var<storage, ${access}> v: ${arrayOf(pieces.unit, device.u64)};
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
${projections}
${
    parts
      ? `@group(0) @binding(5) var<storage, read_write> part: array<${stored.type}>; // [rows, heads, splits, hd]
@group(0) @binding(6) var<storage, read_write> stats: array<vec2<f32>>; // largest score and sum [rows, heads, splits]`
      : `@group(0) @binding(5) var<storage, read_write> out: array<${stored.type}>;`
  }
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let i = wg.y * n.x + wg.x;
  let row = i / ${rowParts(shape)}u / p.kvHeads;
  if (row >= p.rows) { return; }
  let kvHead = i / ${rowParts(shape)}u % p.kvHeads;
  let firstHead = i % ${rowParts(shape)}u * ${together}u;
  let m = rowMeta[row];
  let position = m.w + p.shift;
${turned ? `  let keyAt = m.z + position - m.y;${rotaryOfGroup(shape, turned.bias)}` : ""}
  var j = ${begin};
  if (j > position) { return; }
${
    shared("qq", "q", together, lanes, (item) =>
      `row * p.heads + kvHead * GROUP + min(firstHead + ${item}, GROUP - 1u)`)
  }
${
    each((g) =>
      `  var best${g} = -3.0e38; var sum${g} = 0.0; ${sums(g).map((sum) => `var ${sum} = 0.0;`).join(" ")}` +
      (split && !parts ? `\n${declareAll(String(g), sums(g))}` : "")
    )
  }
${keysOf}
${finish}
${stored.text}
}`;
}

/** Folds the splits' parts of {@link groupForward} in ascending order, as the other kernels do in place. One subgroup a row and head. */
export function mergeParts(shape: AttentionShape, device: AttentionDevice): string {
  const { subgroup, split } = device;
  const each = Math.ceil(shape.headDim / subgroup);
  const sums = range(each).map((i) => `acc0_${i}`);
  return `${HEADER(shape, subgroup)}
@group(0) @binding(1) var<storage, read> part: array<f32>; // [rows, heads, splits, hd]
@group(0) @binding(2) var<storage, read> stats: array<vec2<f32>>; // [rows, heads, splits]
@group(0) @binding(3) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let i = wg.y * n.x + wg.x;
  let row = i / p.heads;
  if (row >= p.rows) { return; }
  let last = (rowMeta[row].w + p.shift) / ${split}u;
  var best0 = 0.0; var sum0 = 0.0; ${sums.map((sum) => `var ${sum} = 0.0;`).join(" ")}
${declareAll("0", sums)}
  for (var s = 0u; s <= last; s++) {
    let at = i * p.splits + s;
    best0 = stats[at].x; sum0 = stats[at].y;
${lines(each, (c) => `    acc0_${c} = part[at * HQ * 4u + min(lane + ${c}u * S, HQ * 4u - 1u)];`)}
${mergeSplit("0", sums)}
  }
  let inverse = 1.0 / allSum0;
${
    lines(each, (c) =>
      `  if (lane + ${c}u * S < HQ * 4u) { out[i * HQ * 4u + lane + ${c}u * S] = all0_${c} * inverse; }`)
  }
}`;
}
