import { comp, lines, range } from "../wgsl/text.ts";
import { arrayOf, loadWords } from "../wgsl/load_words.ts";

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
  u64: boolean;
  /** Keys that are folded apart, for GPUs, which need more workgroups than there are heads; none on software devices. */
  split?: number;
}

/** How the heads of other rows are loaded: `words` at a time, each head `hq` vectors of four. */
export interface Lanes extends AttentionDevice {
  words: number;
  hq: number;
}

export function lanesOf({ headDim }: AttentionShape, device: AttentionDevice): Lanes {
  const u64 = device.u64 && headDim % 8 === 0;
  return { ...device, u64, words: u64 ? 8 : 4, hq: headDim / 4 };
}

export const heads = (lanes: Lanes): string => arrayOf(lanes.words, lanes.u64);

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

export const HEADER = (shape: AttentionShape, subgroup: number) => `
// Causal attention of packed rows over a shared prefix and their own sequence. q, out [rows, heads hd]; k, v [keys, kvHeads hd];
// lse [rows, heads]; rowMeta[r] = (prefixStart, prefixLen, ownStart, position): the key at absolute position j is row
// prefixStart + j of k and v below prefixLen, ownStart + j - prefixLen from there on.
// tiles[t] = (first row, rows, end, 0): up to S rows of one sequence, or up to 2 S; queries of its keys end before row \`end\`.
// Dispatches begin with tile \`firstTile\`, each in \`cut\` parts.
struct Params { rows: u32, heads: u32, kvHeads: u32, scale: f32, shift: u32, skip: u32, span: u32, firstTile: u32, cut: u32, splits: u32 }
@group(0) @binding(0) var<uniform> p: Params;
const S = ${subgroup}u;
const HQ = ${shape.headDim / 4}u; // vectors in a head
const GROUP = ${shape.group}u;
fn keyRow(m: vec4<u32>, j: u32) -> u32 { return select(m.z + j - m.y, m.x + j, j < m.y); }
`;

/** Dot product of two heads, one chain of fma over ascending dimensions. */
export const dot = (result: string, hq: number, a: (c: number) => string, b: (c: number) => string): string =>
  `    var ${result} = 0.0;\n` +
  lines(hq, (c) => comp.map((e) => `    ${result} = fma(${a(c)}.${e}, ${b(c)}.${e}, ${result});`).join("\n"));

/** Loads a head for the lane itself, as vectors `name`{index}. */
export function own(name: string, array: string, head: string, { words, u64, hq }: Lanes): string {
  const at = `${head} * ${hq * 4 / words}u`;
  const loaded = loadWords(`${name}_`, array, at, hq * 4, words, u64);
  return `${loaded.text}\n` + lines(hq, (c) => {
    const parts = range(4).map((e) => `bitcast<f32>(${loaded.words[c * 4 + e]})`);
    return `    let ${name}${c} = vec4<f32>(${parts.join(", ")});`;
  });
}

/**
 * Loads the heads of `count` items a subgroup needs, as many words at once as the device can, and hands each out as a
 * vector `name`{index}. `address` is an item's start in heads.
 */
export function shared(
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
    const { text, words } = loadWords(`${name}${l}_`, array, at, lanes.words, lanes.words, lanes.u64);
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

/** Declares what the splits of an item come to: `allBest`, `allSum` and its sums under the name `all...`. */
export const declareAll = (item: string, sums: readonly string[]): string =>
  `  var allBest${item} = -3.0e38; var allSum${item} = 0.0; ${
    sums.map((sum) => `var ${allOf(sum)} = 0.0;`).join(" ")
  }`;

const allOf = (sum: string): string => sum.replace("acc", "all");

/**
 * Adds a split's softmax (`best`, `sum` and the sums `acc...`) to those before it and begins the next. Every kernel does it in
 * this way and order, whether a workgroup takes all splits or one, so that their bits agree.
 */
export const mergeSplit = (item: string, sums: readonly string[]): string =>
  `    {
      let top = max(allBest${item}, best${item});
      let before = exp(allBest${item} - top);
      let now = exp(best${item} - top);
      allBest${item} = top; allSum${item} = fma(allSum${item}, before, sum${item} * now);
      best${item} = -3.0e38; sum${item} = 0.0;
${
    sums.map((sum) => `      ${allOf(sum)} = fma(${allOf(sum)}, before, ${sum} * now); ${sum} = 0.0;`).join(
      "\n",
    )
  }
    }`;
