import { comp, lines, range } from "../wgsl/text.ts";
import {
  type AttentionDevice,
  type AttentionShape,
  declareAll,
  HEADER,
  heads,
  type Lanes,
  lanesOf,
  mergeSplit,
  turnOf,
} from "./attention_parts.ts";
import { loadWords } from "../wgsl/load_words.ts";

/** Items that a subgroup loads, as many words at once as the device can: `value(i, d)` is number d of item i in all lanes. */
interface Handed {
  load: string;
  value: (item: number, d: number) => string;
}

function handed(
  name: string,
  array: string,
  count: number,
  lanes: Lanes,
  address: (item: string) => string,
): Handed {
  const { words: unit, subgroup, u64 } = lanes;
  const perItem = lanes.hq * 4 / unit;
  const total = count * perItem;
  const load = lines(Math.ceil(total / subgroup), (l) => {
    const index = `${name}Index${l}`;
    const at = `(${address(`${index} / ${perItem}u`)}) * ${perItem}u + ${index} % ${perItem}u`;
    const { text, words } = loadWords(`${name}${l}_`, array, at, unit, unit, u64);
    return `    let ${index} = min(${l * subgroup}u + lane, ${total - 1}u);\n${text}\n` +
      words.map((word, e) => `    let ${name}Lane${l}_${e} = bitcast<f32>(${word});`).join("\n");
  });
  return {
    load,
    value(item, d) {
      const piece = item * perItem + Math.floor(d / unit);
      return `subgroupBroadcast(${name}Lane${Math.floor(piece / subgroup)}_${d % unit}, ${
        piece % subgroup
      }u)`;
    },
  };
}

// Chains of sums that go side by side: enough to hide what one addition waits for the one before.
const CHAINS = 4;

/**
 * Numbers `name(i, j)` for each of the lane's items i and each j: fma chains over ascending dimensions, a few side by side.
 */
function dots(
  items: number,
  count: number,
  dims: number,
  name: (i: number, j: number) => string,
  own: (i: number, d: number) => string,
  other: (j: number, d: number) => string,
): string {
  const together = Math.max(1, Math.floor(CHAINS / items));
  let text = "";
  for (let first = 0; first < count; first += together) {
    const js = range(Math.min(together, count - first)).map((j) => first + j);
    const all = (make: (i: number, j: number) => string) =>
      js.map((j) => range(items).map((i) => make(i, j)).join("\n")).join("\n");
    text += all((i, j) => `    var ${name(i, j)} = 0.0;`) + "\n" + lines(dims, (d) =>
      js.map((j) =>
        `    let ${name(0, j)}o${d} = ${other(j, d)};\n` +
        lines(items, (i) =>
          `    ${name(i, j)} = fma(${own(i, d)}, ${name(0, j)}o${d}, ${name(i, j)});`)
      ).join("\n")) +
      "\n";
  }
  return text;
}

/** The rows of this workgroup, `rows` a lane: a tile, or a half of it where tiles are cut. */
const tileStart = (rows: number): string => `
  let whole = tiles[p.firstTile + wg.x / p.cut];
  let first = whole.x + wg.x % p.cut * ${rows}u * S;
  if (first >= whole.x + whole.y) { return; }
  let count = min(whole.x + whole.y - first, ${rows}u * S);`;

/** The row (or key) that each of the lane's items is, S apart. */
const rowOf = (item: number): string => `first + min(lane + ${item}u * S, count - 1u)`;

/** The lane's rows of one head: where their numbers lie, and up to which position they see. */
const rowsOf = (rows: number): string =>
  lines(
    rows,
    (i) =>
      `  let row${i} = ${
        rowOf(i)
      }; let position${i} = rowMeta[row${i}].w; let i${i} = row${i} * p.heads + wg.y;`,
  ) +
  `
  let m = rowMeta[first];
  let last = rowMeta[first + count - 1u].w;
  let kvHead = wg.y / GROUP;`;

/** A loaded head of an item, vectors of four; and sums over its dimensions, scalars, since vectors would be spilled more often. */
const loaded = (name: string) => (i: number, d: number) => `${name}${i}_${Math.floor(d / 4)}.${comp[d % 4]}`;
const sum = (name: string) => (i: number, d: number) => `${name}${i}_${d}`;

/** Declares the sums of an item. */
const sums = (of: ReturnType<typeof sum>, i: number, dims: number): string =>
  `  ${range(dims).map((d) => `var ${of(i, d)} = 0.0;`).join(" ")}`;
const vec = (of: ReturnType<typeof sum>, i: number, c: number): string =>
  `vec4<f32>(${range(4).map((e) => of(i, c * 4 + e)).join(", ")})`;

/** Forward, one subgroup a tile of rows of one sequence: their keys are loaded once and handed round. */
export function tilesForward(shape: AttentionShape, device: AttentionDevice, count: 1 | 2): string {
  const lanes = lanesOf(shape, device);
  const { hq } = lanes;
  const dims = hq * 4;
  const { keys: block } = turnOf(shape.headDim);
  const all = (make: (item: number) => string) => lines(count, make);
  const address = (item: string) => `keyRow(m, min(j + ${item}, last)) * p.kvHeads + kvHead`;
  const k = handed("kk", "k", block, lanes, address);
  const v = handed("vv", "v", block, lanes, address);
  const [q, acc] = [loaded("q"), sum("acc")];
  const { split } = device;
  const sumsOf = (i: number) => range(dims).map((d) => acc(i, d));
  const total = (name: string, i: number) =>
    `${split ? `all${name[0].toUpperCase()}${name.slice(1)}` : name}${i}`;
  const result = split ? sum("all") : acc;
  return `${HEADER(shape, device.subgroup)}
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: ${heads(lanes)};
@group(0) @binding(3) var<storage, read> v: ${heads(lanes)};
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {${tileStart(count)}
${rowsOf(count)}
${
    all((i) =>
      `  var best${i} = -3.0e38; var sum${i} = 0.0;
${lines(hq, (c) => `  let q${i}_${c} = q[i${i} * HQ + ${c}u];`)}
${sums(acc, i, dims)}${split ? `\n${declareAll(String(i), sumsOf(i))}` : ""}`
    )
  }
  var j = 0u;
${split ? `  while (j <= last) {\n  let end = min(last, j + ${split - 1}u);` : "  let end = last;"}
  for (; j <= end; j += ${block}u) {
${k.load}
${v.load}
${dots(count, block, dims, (i, j) => `s${i}_${j}`, q, k.value)}
${
    all((i) =>
      lines(block, (j) =>
        `    s${i}_${j} = s${i}_${j} * p.scale; let in${i}_${j} = j + ${j}u <= position${i};`) + `
    var top${i} = best${i};
${
        lines(block, (j) => `    top${i} = select(top${i}, max(top${i}, s${i}_${j}), in${i}_${j});`)
      }
    let shrink${i} = exp(best${i} - top${i});
    sum${i} = sum${i} * shrink${i};
${
        lines(
          block,
          (j) =>
            `    let w${i}_${j} = select(0.0, exp(s${i}_${j} - top${i}), in${i}_${j}); sum${i} = sum${i} + w${i}_${j};`,
        )
      }
    best${i} = top${i};`
    )
  }
${
    lines(dims, (d) =>
      lines(block, (j) => `    let v${j}_${d} = ${v.value(j, d)};`) + "\n" +
      all((i) =>
        `    ${acc(i, d)} = ${acc(i, d)} * shrink${i};\n` +
        lines(block, (j) => `    ${acc(i, d)} = fma(w${i}_${j}, v${j}_${d}, ${acc(i, d)});`)
      ))
  }
  }
${split ? all((i) => mergeSplit(String(i), sumsOf(i))) + "\n  }" : ""}
${
    all((i) =>
      `  if (lane + ${i}u * S < count) {
    let inverse = 1.0 / ${total("sum", i)};
${lines(hq, (c) => `    out[i${i} * HQ + ${c}u] = ${vec(result, i, c)} * inverse;`)}
    lse[i${i}] = ${total("best", i)} + log(${total("sum", i)});
  }`
    )
  }
}`;
}

/** Backward to Q, and the row sums D = dO . O that the backward to K and V needs. Same tiles as the forward. */
export function tilesBackwardQ(shape: AttentionShape, device: AttentionDevice, count: 1 | 2): string {
  const lanes = lanesOf(shape, device);
  const { hq } = lanes;
  const dims = hq * 4;
  const { keys: block } = turnOf(shape.headDim);
  const all = (make: (item: number) => string) => lines(count, make);
  const address = (item: string) => `keyRow(m, min(j + ${item}, last)) * p.kvHeads + kvHead`;
  const k = handed("kk", "k", block, lanes, address);
  const v = handed("vv", "v", block, lanes, address);
  const [q, g, acc] = [loaded("q"), loaded("g"), sum("acc")];
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
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {${tileStart(count)}
${rowsOf(count)}
${
    all((i) =>
      `  let norm${i} = lse[i${i}]; var pull${i} = 0.0;
${
        lines(hq, (c) =>
          `  let q${i}_${c} = q[i${i} * HQ + ${c}u]; let g${i}_${c} = dout[i${i} * HQ + ${c}u];
  let o${i}_${c} = out[i${i} * HQ + ${c}u];
${comp.map((e) => `  pull${i} = fma(g${i}_${c}.${e}, o${i}_${c}.${e}, pull${i});`).join("\n")}`)
      }
${sums(acc, i, dims)}`
    )
  }
  for (var j = 0u; j <= last; j += ${block}u) {
${k.load}
${v.load}
${dots(count, block, dims, (i, j) => `s${i}_${j}`, q, k.value)}
${dots(count, block, dims, (i, j) => `t${i}_${j}`, g, v.value)}
${
    all((i) =>
      lines(block, (j) =>
        `    let d${i}_${j} = select(0.0, exp(s${i}_${j} * p.scale - norm${i}) * (t${i}_${j} - pull${i}) * p.scale, j + ${j}u <= position${i});`)
    )
  }
${
    lines(dims, (d) =>
      lines(block, (j) => `    let k${j}_${d} = ${k.value(j, d)};`) + "\n" +
      all((i) => lines(block, (j) => `    ${acc(i, d)} = fma(d${i}_${j}, k${j}_${d}, ${acc(i, d)});`)))
  }
  }
${
    all((i) =>
      `  if (lane + ${i}u * S < count) {
${lines(hq, (c) => `    dq[i${i} * HQ + ${c}u] = ${vec(acc, i, c)};`)}
    rowDot[i${i}] = pull${i};
  }`
    )
  }
}`;
}

/**
 * Backward to K and V: lanes are the keys of a tile, and the loop runs over all rows that look at them: from the
 * tile's first row to `end`, the end of the sequence, or of the whole group for the keys of a shared prompt.
 * One dispatch takes `span` of them after `skip`, and adds to what the ones before left.
 */
export function tilesBackwardKV(shape: AttentionShape, device: AttentionDevice, count: 1 | 2): string {
  const lanes = lanesOf(shape, device);
  const { hq } = lanes;
  const dims = hq * 4;
  const { rows: block } = turnOf(shape.headDim);
  const all = (make: (item: number) => string) => lines(count, make);
  const address = (item: string) => `min(r + ${item}, end - 1u) * p.heads + h`;
  const q = handed("qq", "q", block, lanes, address);
  const g = handed("gg", "dout", block, lanes, address);
  const [k, v, dk, dv] = [loaded("k"), loaded("v"), sum("dk"), sum("dv")];
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
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {${tileStart(count)}
  let begin = first + p.skip;
  let end = min(whole.z, begin + p.span);
  if (begin >= end) { return; }
${
    all((i) =>
      `  let key${i} = ${rowOf(i)}; let at${i} = (key${i} * p.kvHeads + wg.y) * HQ;
${lines(hq, (c) => `  let k${i}_${c} = k[at${i} + ${c}u]; let v${i}_${c} = v[at${i} + ${c}u];`)}
${sums(dk, i, dims)}
${sums(dv, i, dims)}
  if (p.skip > 0u) {
${
        lines(dims, (d) =>
          `    ${dk(i, d)} = dk[at${i} + ${d >> 2}u].${comp[d % 4]}; ${dv(i, d)} = dv[at${i} + ${d >> 2}u].${
            comp[d % 4]
          };`)
      }
  }`
    )
  }
  for (var h = wg.y * GROUP; h < (wg.y + 1u) * GROUP; h++) {
    for (var r = begin; r < end; r += ${block}u) {
${q.load}
${g.load}
      let index = min(r + min(lane, ${block - 1}u), end - 1u) * p.heads + h;
      let lseLane = lse[index];
      let dotLane = rowDot[index];
${dots(count, block, dims, (i, j) => `s${i}_${j}`, k, q.value)}
${dots(count, block, dims, (i, j) => `t${i}_${j}`, v, g.value)}
${
    lines(block, (j) =>
      `      let norm${j} = subgroupBroadcast(lseLane, ${j}u); let pull${j} = subgroupBroadcast(dotLane, ${j}u);\n` +
      all((i) =>
        `      let w${i}_${j} = select(0.0, exp(s${i}_${j} * p.scale - norm${j}), r + ${j}u >= key${i} && r + ${j}u < end);
      let d${i}_${j} = w${i}_${j} * (t${i}_${j} - pull${j}) * p.scale;`
      ))
  }
${
    lines(dims, (d) =>
      lines(block, (j) =>
        `      let q${j}_${d} = ${q.value(j, d)}; let g${j}_${d} = ${g.value(j, d)};`) +
      "\n" +
      all((i) =>
        lines(block, (j) => `      ${dk(i, d)} = fma(d${i}_${j}, q${j}_${d}, ${dk(i, d)});`) + "\n" +
        lines(block, (j) => `      ${dv(i, d)} = fma(w${i}_${j}, g${j}_${d}, ${dv(i, d)});`)
      ))
  }
    }
  }
${
    all((i) =>
      `  if (lane + ${i}u * S < count) {
${lines(hq, (c) => `    dk[at${i} + ${c}u] = ${vec(dk, i, c)}; dv[at${i} + ${c}u] = ${vec(dv, i, c)};`)}
  }`
    )
  }
}`;
}
