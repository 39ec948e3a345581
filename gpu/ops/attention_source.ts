import { arrayOf, loadWords } from "./load_words.ts";

/** Sizes that are constants of an attention kernel: they fix its registers. */
export interface AttentionShape {
  headDim: number;
  /** Query heads that share one key/value head. */
  group: number;
}

/** What the kernels need to know of the device. */
export interface AttentionDevice {
  subgroup: number;
  /** Whether words may be loaded in pairs. */
  wide: boolean;
}

/** How the heads of other rows are loaded: `words` at a time, each head `hq` vectors of four. */
interface Lanes extends AttentionDevice {
  words: number;
  hq: number;
}

function lanesOf({ headDim }: AttentionShape, device: AttentionDevice): Lanes {
  const wide = device.wide && headDim % 8 === 0;
  return { ...device, wide, words: wide ? 8 : 4, hq: headDim / 4 };
}

const heads = (lanes: Lanes): string => arrayOf(lanes.words, lanes.wide);

/**
 * Keys (forward) and rows (backward to K and V) that one turn of a loop takes: fewer of wide heads, whose unrolled
 * turns would take the software device's compiler tens of seconds and run no faster. Blocks start at absolute
 * position 0, so a row's sums come in the same order in decoding, prefill and training.
 */
export function turnOf(headDim: number): { keys: number; rows: number } {
  if (headDim <= 16) return { keys: 8, rows: 4 };
  if (headDim <= 32) return { keys: 4, rows: 2 };
  return { keys: headDim <= 64 ? 2 : 1, rows: 1 };
}

const range = (n: number): number[] => [...Array(n).keys()];
const lines = (n: number, make: (i: number) => string): string => range(n).map(make).join("\n");
const comp = ["x", "y", "z", "w"];

const HEADER = (shape: AttentionShape, subgroup: number) => `
// Causal attention of packed rows over a shared prefix and their own sequence. q, out [rows, heads hd]; k, v [keys, kvHeads hd];
// lse [rows, heads]; rowMeta[r] = (prefixStart, prefixLen, ownStart, position): the key at absolute position j is row
// prefixStart + j of k and v below prefixLen, ownStart + j - prefixLen from there on.
// tiles[t] = (first row, rows, end, 0): up to S rows of one sequence; queries of its keys end before row \`end\`.
struct Params { rows: u32, heads: u32, kvHeads: u32, scale: f32, shift: u32, skip: u32, span: u32 }
@group(0) @binding(0) var<uniform> p: Params;
const S = ${subgroup}u;
const HQ = ${shape.headDim / 4}u; // vectors in a head
const GROUP = ${shape.group}u;
fn keyRow(m: vec4<u32>, j: u32) -> u32 { return select(m.z + j - m.y, m.x + j, j < m.y); }
`;

/** Dot product of two heads, one chain of fma over ascending dimensions. */
const dot = (result: string, hq: number, a: (c: number) => string, b: (c: number) => string): string =>
  `    var ${result} = 0.0;\n` +
  lines(hq, (c) => comp.map((e) => `    ${result} = fma(${a(c)}.${e}, ${b(c)}.${e}, ${result});`).join("\n"));

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

/** Loads a head for the lane itself, as vectors `name`{index}. */
function own(name: string, array: string, head: string, { words, wide, hq }: Lanes): string {
  const at = `${head} * ${hq * 4 / words}u`;
  const loaded = loadWords(`${name}_`, array, at, hq * 4, words, wide);
  return `${loaded.text}\n` + lines(hq, (c) => {
    const parts = range(4).map((e) => `bitcast<f32>(${loaded.words[c * 4 + e]})`);
    return `    let ${name}${c} = vec4<f32>(${parts.join(", ")});`;
  });
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

/**
 * Loads the heads of `count` items a subgroup needs, as many words at once as the device can, and hands each out as a
 * vector `name`{index}. `address` is an item's start in heads.
 */
function shared(
  name: string,
  array: string,
  count: number,
  lanes: Lanes,
  address: (item: string) => string,
): string {
  const unit = lanes.words / 4; // vectors a load
  const perItem = lanes.hq / unit;
  const total = count * perItem;
  const loads = Math.ceil(total / lanes.subgroup);
  const text = lines(loads, (l) => {
    const index = `${name}Index${l}`;
    const at = `(${address(`${index} / ${perItem}u`)}) * ${perItem}u + ${index} % ${perItem}u`;
    const { text, words } = loadWords(`${name}${l}_`, array, at, lanes.words, lanes.words, lanes.wide);
    return `    let ${index} = min(${l * lanes.subgroup}u + lane, ${total - 1}u);\n${text}\n` +
      words.map((word, e) => `    let ${name}Lane${l}_${e} = bitcast<f32>(${word});`).join("\n");
  });
  const spread = lines(count * lanes.hq, (i) => {
    const load = Math.floor(i / unit);
    const from = (e: number) => `${name}Lane${Math.floor(load / lanes.subgroup)}_${i % unit * 4 + e}`;
    const parts = range(4).map((e) => `subgroupBroadcast(${from(e)}, ${load % lanes.subgroup}u)`);
    return `    let ${name}${i} = vec4<f32>(${parts.join(", ")});`;
  });
  return `${text}\n${spread}`;
}

/** One block of keys `kk` and values `vv` of a tile's sequence, from absolute position j. */
function keysAndValues(count: number, lanes: Lanes): string {
  const load = (name: string, array: string) =>
    shared(name, array, count, lanes, (item) => `keyRow(m, min(j + ${item}, last)) * p.kvHeads + kvHead`);
  return `${load("kk", "k")}\n${load("vv", "v")}`;
}

const TILE_START = `
  let tile = tiles[wg.x];
  let head = wg.y;
  let row = tile.x + min(lane, tile.y - 1u);
  let m = rowMeta[row];
  let position = m.w;`;

/** Forward, one subgroup a tile of rows of one sequence: their keys are loaded once and handed round. */
export function tilesForward(shape: AttentionShape, device: AttentionDevice): string {
  const lanes = lanesOf(shape, device);
  const { hq } = lanes;
  const { keys: block } = turnOf(shape.headDim);
  return `${HEADER(shape, device.subgroup)}
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: ${heads(lanes)};
@group(0) @binding(3) var<storage, read> v: ${heads(lanes)};
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {${TILE_START}
  let last = rowMeta[tile.x + tile.y - 1u].w;
  let i = row * p.heads + head;
  let kvHead = head / GROUP;
${lines(hq, (c) => `  let q${c} = q[i * HQ + ${c}u]; var acc${c} = vec4<f32>();`)}
  var best = -3.0e38;
  var sum = 0.0;
  for (var j = 0u; j <= last; j += ${block}u) {
${keysAndValues(block, lanes)}
${
    lines(block, (j) =>
      dot(`s${j}`, hq, (c) => `q${c}`, (c) => `kk${j * hq + c}`) + `\n    s${j} = s${j} * p.scale;`)
  }
${softmaxBlock(block, hq, (j, c) => `vv${j * hq + c}`)}
  }
  if (lane < tile.y) {
    let inverse = 1.0 / sum;
${lines(hq, (c) => `    out[i * HQ + ${c}u] = acc${c} * inverse;`)}
    lse[i] = best + log(sum);
  }
}`;
}

/** Backward to Q, and the row sums D = dO . O that the backward to K and V needs. Same tiles as the forward. */
export function tilesBackwardQ(shape: AttentionShape, device: AttentionDevice): string {
  const lanes = lanesOf(shape, device);
  const { hq } = lanes;
  const { keys: block } = turnOf(shape.headDim);
  return `${HEADER(shape, device.subgroup)}
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: ${heads(lanes)};
@group(0) @binding(3) var<storage, read> v: ${heads(lanes)};
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> out: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> lse: array<f32>;
@group(0) @binding(8) var<storage, read> dout: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> dq: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read_write> rowDot: array<f32>; // [rows, heads]
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {${TILE_START}
  let last = rowMeta[tile.x + tile.y - 1u].w;
  let i = row * p.heads + head;
  let kvHead = head / GROUP;
  let norm = lse[i];
${
    lines(hq, (c) =>
      `  let q${c} = q[i * HQ + ${c}u]; let g${c} = dout[i * HQ + ${c}u]; let o${c} = out[i * HQ + ${c}u]; var acc${c} = vec4<f32>();`)
  }
${dot("pull", hq, (c) => `g${c}`, (c) => `o${c}`)}
  for (var j = 0u; j <= last; j += ${block}u) {
${keysAndValues(block, lanes)}
${
    lines(block, (j) =>
      dot(`s${j}`, hq, (c) => `q${c}`, (c) => `kk${j * hq + c}`) + "\n" +
      dot(`t${j}`, hq, (c) => `g${c}`, (c) => `vv${j * hq + c}`) + `
    let d${j} = select(0.0, exp(s${j} * p.scale - norm) * (t${j} - pull) * p.scale, j + ${j}u <= position);
` + lines(hq, (c) =>
        comp.map((e) => `    acc${c}.${e} = fma(d${j}, kk${j * hq + c}.${e}, acc${c}.${e});`).join("\n")))
  }
  }
  if (lane < tile.y) {
${lines(hq, (c) => `    dq[i * HQ + ${c}u] = acc${c};`)}
    rowDot[i] = pull;
  }
}`;
}

/**
 * Backward to K and V: lanes are the keys of a tile, and the loop runs over all rows that look at them: from the
 * tile's first row to \`end\`, the end of the sequence, or of the whole group for the keys of a shared prompt.
 * One dispatch takes \`span\` of them after \`skip\`, and adds to what the ones before left.
 */
export function tilesBackwardKV(shape: AttentionShape, device: AttentionDevice): string {
  const lanes = lanesOf(shape, device);
  const { hq } = lanes;
  const { rows } = turnOf(shape.headDim);
  const load = (name: string, array: string) =>
    shared(name, array, rows, lanes, (item) => `min(r + ${item}, end - 1u) * p.heads + h`);
  return `${HEADER(shape, device.subgroup)}
@group(0) @binding(1) var<storage, read> q: ${heads(lanes)};
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> dout: ${heads(lanes)};
@group(0) @binding(7) var<storage, read> rowDot: array<f32>;
@group(0) @binding(8) var<storage, read_write> dk: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> dv: array<vec4<f32>>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = tiles[wg.x];
  let key = tile.x + min(lane, tile.y - 1u);
  let at = (key * p.kvHeads + wg.y) * HQ;
  let begin = tile.x + p.skip;
  let end = min(tile.z, begin + p.span);
  if (begin >= end) { return; }
${
    lines(hq, (c) =>
      `  let k${c} = k[at + ${c}u]; let v${c} = v[at + ${c}u]; var dk${c} = vec4<f32>(); var dv${c} = vec4<f32>();`)
  }
  if (p.skip > 0u) {
${lines(hq, (c) => `    dk${c} = dk[at + ${c}u]; dv${c} = dv[at + ${c}u];`)}
  }
  for (var h = wg.y * GROUP; h < (wg.y + 1u) * GROUP; h++) {
    for (var r = begin; r < end; r += ${rows}u) {
${load("qq", "q")}
${load("gg", "dout")}
      let index = min(r + min(lane, ${rows - 1}u), end - 1u) * p.heads + h;
      let lseLane = lse[index];
      let dotLane = rowDot[index];
${
    lines(rows, (j) =>
      dot(`s${j}`, hq, (c) => `k${c}`, (c) => `qq${j * hq + c}`) + "\n" +
      dot(`t${j}`, hq, (c) => `v${c}`, (c) => `gg${j * hq + c}`) + `
      let w${j} = select(0.0, exp(s${j} * p.scale - subgroupBroadcast(lseLane, ${j}u)), r + ${j}u >= key && r + ${j}u < end);
      let d${j} = w${j} * (t${j} - subgroupBroadcast(dotLane, ${j}u)) * p.scale;
` + lines(hq, (c) =>
        comp.map((e) =>
          `      dk${c}.${e} = fma(d${j}, qq${j * hq + c}.${e}, dk${c}.${e}); dv${c}.${e} = fma(w${j}, gg${
            j * hq + c
          }.${e}, dv${c}.${e});`
        ).join("\n")))
  }
    }
  }
  if (lane < tile.y) {
${lines(hq, (c) => `    dk[at + ${c}u] = dk${c}; dv[at + ${c}u] = dv${c};`)}
  }
}`;
}
