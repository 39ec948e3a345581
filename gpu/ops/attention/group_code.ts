import { lines, range, xyzw } from "../wgsl/text.ts";
import { loadWords } from "../wgsl/load_words.ts";
import { type HeadLoads, headLoads, loadHead } from "./load_heads.ts";
import { type AttentionDevice, type AttentionShape, blockOf } from "./shape.ts";
import { sumOfWeights } from "./sum_of_weights.ts";

/** Query heads of one key/value head that a workgroup takes: as many as its registers and the compiler bear. */
function headsPerWorkgroup({ headDim, group }: AttentionShape): number {
  const most = Math.max(1, Math.min(4, Math.floor(512 / headDim)));
  return Math.ceil(group / Math.ceil(group / most));
}

/** Workgroups that a row and key/value head take. */
export const workgroupsPerGroup = (shape: AttentionShape): number =>
  Math.ceil(shape.group / headsPerWorkgroup(shape));

/** WGSL of a value that lane `lane` of those that work together has. */
type Spread = (value: string, lane: number) => string;

/** Where all lanes of a subgroup work together. */
export const byBroadcast: Spread = (value, lane) => `subgroupBroadcast(${value}, ${lane}u)`;

/** Sizes of decoding by groups of heads: a step takes `keysPerStep` keys, `keysPerLane` a lane, which sums `dims` of a head. */
export interface GroupPlan {
  loads: HeadLoads;
  block: number;
  keysPerLane: number;
  keysPerStep: number;
  /** Query heads of those lanes. */
  heads: number;
  dims: number;
  /** A head is divided among lanes in `units` pieces of `unit` numbers: piece lane + i S for each i below `each`. */
  pieces: { unit: number; units: number; each: number };
  spread: Spread;
}

/** The plan for such heads, S lanes together. */
export function planGroup(shape: AttentionShape, device: AttentionDevice, spread: Spread): GroupPlan {
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
    spread,
  };
}

/** Value of a step's key in all lanes, from `name`_0, `name`_1, ... which hold those of the lane's keys. */
const fromKey = (name: string, key: number, { loads: { subgroup }, spread }: GroupPlan): string =>
  spread(`${name}_${Math.floor(key / subgroup)}`, key % subgroup);

/**
 * Scores of the lane's keys for each head: chains of fma over ascending dimensions, side by side.
 * @param query WGSL of vector c of head g's query, times the scale
 */
export function groupScores(
  { loads, keysPerLane, heads }: GroupPlan,
  query: (g: number, c: number) => string,
): string {
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
        all((g, e) => `    s${g}_${e} = fma(${query(g, c)}.${x}, k${e}_${c}.${x}, s${g}_${e});`)
      )
        .join("\n"),
  );
  return `${keys}
${all((g, e) => `    var s${g}_${e} = 0.0;`)}
${sums}
${all((g, e) => `    s${g}_${e} = select(-3.0e38, s${g}_${e}, in${e});`)}`;
}

/** From the scores: the largest up to each block, and with it the weights of the lanes' keys and the blocks' factors. */
export function groupWeights(plan: GroupPlan): string {
  const { loads: { subgroup }, block, keysPerLane, keysPerStep, heads } = plan;
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
        (top, t) => `max(${top}, ${fromKey(`s${g}`, b * block + t, plan)})`,
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
export function groupValues(plan: GroupPlan, u64: boolean): string {
  const { loads: { subgroup }, block, keysPerStep, heads, dims, pieces } = plan;
  const blocks = keysPerStep / block;
  const values = lines(
    keysPerStep,
    (t) =>
      `    let vAt${t} = ${fromKey("at", t, plan)} * ${pieces.units}u;\n` +
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
      `    let rescale${g}_${b} = ${fromKey(`f${g}`, b * block, plan)};\n` +
      ofBlock(b, (key) =>
        `    let u${g}_${key} = ${fromKey(`w${g}`, key, plan)}; ${
          sumOfWeights(`sum${g}`, `rescale${g}_${b}`, `u${g}_${key}`, key % block)
        }`))
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
