import { lines, range, xyzw } from "../wgsl/text.ts";
import { type BroadcastHeads, broadcastHeads, headArray, headLoads } from "./load_heads.ts";
import { type AttentionDevice, type AttentionShape, blockOf } from "./shape.ts";

/** A loaded head of an item, vectors of four NAME{item}_{index}: number d of it. */
export const loaded = (name: string) => (i: number, d: number): string =>
  `${name}${i}_${Math.floor(d / 4)}.${xyzw[d % 4]}`;

/** Sums over a head's dimensions, NAME{item}_{d}: scalars, since vectors would be spilled more often. */
type Sums = (i: number, d: number) => string;

/** Sums of that name. */
export const sumsOf = (name: string): Sums => (i, d) => `${name}${i}_${d}`;

/** Declares the sums of an item. */
export const declareSums = (sums: Sums, i: number, dims: number): string =>
  `  ${range(dims).map((d) => `var ${sums(i, d)} = 0.0;`).join(" ")}`;

/** Four sums of an item as a vector. */
export const vec4Of = (sums: Sums, i: number, c: number): string =>
  `vec4<f32>(${range(4).map((e) => sums(i, c * 4 + e)).join(", ")})`;

// Chains of sums that go side by side: enough to hide what one addition waits for the one before.
const CHAINS = 4;

/**
 * Dot products `name(i, j)` of each of the lane's items i with each item j of a block: fma chains over ascending
 * dimensions, a few side by side.
 */
export function dots(
  items: number,
  count: number,
  dims: number,
  name: (i: number, j: number) => string,
  own: (i: number, d: number) => string,
  other: (j: number, d: number) => string,
): string {
  const perPass = Math.max(1, Math.floor(CHAINS / items));
  let text = "";
  for (let first = 0; first < count; first += perPass) {
    const js = range(Math.min(perPass, count - first)).map((j) => first + j);
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

/** The start of `main`: the rows of this workgroup, `rows` a lane, are a tile, or a half of it where tiles are cut. */
export const tileMain = (rows: number): string =>
  `@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let whole = tiles[p.firstTile + wg.x / p.cut];
  let first = whole.x + wg.x % p.cut * ${rows}u * S;
  if (first >= whole.x + whole.y) { return; }
  let count = min(whole.x + whole.y - first, ${rows}u * S);`;

/** The row (or key) that each of the lane's items is, S apart. */
export const rowOf = (item: number): string => `first + min(lane + ${item}u * S, count - 1u)`;

/** What forward and backward to Q begin with: bindings 1 to 5. */
export const queryBindings = (shape: AttentionShape, device: AttentionDevice): string => {
  const heads = headArray(headLoads(shape, device));
  return `@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: ${heads};
@group(0) @binding(3) var<storage, read> v: ${heads};
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> tiles: array<vec4<u32>>;`;
};

/** The lane's queries, rows of one head: where their numbers lie, and up to which position they see. */
export const queryRows = (rows: number): string =>
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

/** A block of keys and values from position j on, which the subgroup loads for the queries of all its lanes. */
interface KeyBlock {
  keys: number;
  k: BroadcastHeads;
  v: BroadcastHeads;
}

/** The block of {@link queryRows}: positions past the last query's are loaded as that. */
export function keyBlock(shape: AttentionShape, device: AttentionDevice): KeyBlock {
  const loads = headLoads(shape, device);
  const { keys } = blockOf(shape.headDim);
  const address = (key: string) => `keyRow(m, min(j + ${key}, last)) * p.kvHeads + kvHead`;
  return {
    keys,
    k: broadcastHeads("kk", "k", keys, loads, address),
    v: broadcastHeads("vv", "v", keys, loads, address),
  };
}
