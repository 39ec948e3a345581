/**
 * Where the keys of each query row lie. Rows are packed without padding; a row at absolute position t sees
 * positions 0..t, of which the first `prefixLen` may lie elsewhere, shared with other sequences.
 */
export interface PackedLayout {
  /** First row of the shared prefix of this row's sequence (any value if prefixLen is 0). */
  prefixStart: ArrayLike<number>;
  /** Positions that come from the shared prefix; 0 for a sequence of its own. */
  prefixLen: ArrayLike<number>;
  /** Row of this sequence's first own position (absolute position prefixLen). */
  ownStart: ArrayLike<number>;
  /** Absolute position of the row, from 0. */
  position: ArrayLike<number>;
}

/** Widths of the heads: query head h reads key/value head floor(h / (heads / kvHeads)). */
export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/** The row of keys and values that holds absolute position j as seen from query row r. */
function keyRow(layout: PackedLayout, r: number, j: number): number {
  return j < layout.prefixLen[r] ? layout.prefixStart[r] + j : layout.ownStart[r] + (j - layout.prefixLen[r]);
}

/** The layout of sequences of the given lengths laid one after the other, sharing nothing. */
export function separateLayout(lengths: number[]): PackedLayout {
  return packedLayout(lengths.map((length) => ({ prompt: length, continuations: [] })));
}

/**
 * The layout of groups packed one after the other: each a prompt of `prompt` rows at positions 0.., then its
 * continuations, whose rows follow the prompt's positions and share its keys and values.
 */
export function packedLayout(
  groups: { prompt: number; continuations: number[] }[],
): { prefixStart: number[]; prefixLen: number[]; ownStart: number[]; position: number[] } {
  const layout = {
    prefixStart: [] as number[],
    prefixLen: [] as number[],
    ownStart: [] as number[],
    position: [] as number[],
  };
  const push = (prefixStart: number, prefixLen: number, rows: number) => {
    const ownStart = layout.position.length;
    for (let i = 0; i < rows; i++) {
      layout.prefixStart.push(prefixStart);
      layout.prefixLen.push(prefixLen);
      layout.ownStart.push(ownStart);
      layout.position.push(prefixLen + i);
    }
    return ownStart;
  };
  for (const group of groups) {
    const start = push(layout.position.length, 0, group.prompt);
    for (const rows of group.continuations) push(start, group.prompt, rows);
  }
  return layout;
}

/**
 * Causal attention with grouped heads over packed rows: softmax(q k^T / sqrt(headDim)) v.
 * q [rows, heads * headDim], k and v [keyRows, kvHeads * headDim]; rows is layout.position.length.
 * Gives out [rows, heads * headDim] and lse [rows, heads], the natural logarithm of the sum of exp(score).
 */
export function attention(
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  layout: PackedLayout,
  shape: AttentionShape,
): { out: Float64Array; lse: Float64Array } {
  const { heads, headDim } = shape;
  const rows = layout.position.length;
  const out = new Float64Array(rows * heads * headDim);
  const lse = new Float64Array(rows * heads);
  for (let r = 0; r < rows; r++) {
    for (let h = 0; h < heads; h++) {
      const { weights, logSumExp } = attentionWeights(q, k, layout, shape, r, h);
      lse[r * heads + h] = logSumExp;
      const to = (r * heads + h) * headDim;
      for (let j = 0; j < weights.length; j++) {
        const from = keyOffset(layout, shape, r, h, j);
        for (let i = 0; i < headDim; i++) out[to + i] += weights[j] * v[from + i];
      }
    }
  }
  return { out, lse };
}

/**
 * Gradients of `attention` for the upstream gradient dOut [rows, heads * headDim]. dk and dv have the shape of k
 * and v; rows of a shared prefix receive the sum over every query that reads them.
 */
export function attentionBackward(
  dOut: Float64Array,
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  layout: PackedLayout,
  shape: AttentionShape,
): { dq: Float64Array; dk: Float64Array; dv: Float64Array } {
  const { heads, headDim } = shape;
  const scale = 1 / Math.sqrt(headDim);
  const dq = new Float64Array(q.length);
  const dk = new Float64Array(k.length);
  const dv = new Float64Array(v.length);
  for (let r = 0; r < layout.position.length; r++) {
    for (let h = 0; h < heads; h++) {
      const { weights } = attentionWeights(q, k, layout, shape, r, h);
      const at = (r * heads + h) * headDim;
      // dWeights = dOut v^T, then through the softmax: dScores = weights (dWeights - weights . dWeights).
      const dWeights = new Float64Array(weights.length);
      let mean = 0;
      for (let j = 0; j < weights.length; j++) {
        const from = keyOffset(layout, shape, r, h, j);
        for (let i = 0; i < headDim; i++) {
          dWeights[j] += dOut[at + i] * v[from + i];
          dv[from + i] += weights[j] * dOut[at + i];
        }
        mean += weights[j] * dWeights[j];
      }
      for (let j = 0; j < weights.length; j++) {
        const from = keyOffset(layout, shape, r, h, j);
        const dScore = weights[j] * (dWeights[j] - mean) * scale;
        for (let i = 0; i < headDim; i++) {
          dq[at + i] += dScore * k[from + i];
          dk[from + i] += dScore * q[at + i];
        }
      }
    }
  }
  return { dq, dk, dv };
}

function keyOffset(layout: PackedLayout, shape: AttentionShape, r: number, h: number, j: number): number {
  const kvHead = Math.floor(h / (shape.heads / shape.kvHeads));
  return (keyRow(layout, r, j) * shape.kvHeads + kvHead) * shape.headDim;
}

function attentionWeights(
  q: Float64Array,
  k: Float64Array,
  layout: PackedLayout,
  shape: AttentionShape,
  r: number,
  h: number,
): { weights: Float64Array; logSumExp: number } {
  const weights = new Float64Array(layout.position[r] + 1);
  const at = (r * shape.heads + h) * shape.headDim;
  for (let j = 0; j < weights.length; j++) {
    const from = keyOffset(layout, shape, r, h, j);
    for (let i = 0; i < shape.headDim; i++) weights[j] += q[at + i] * k[from + i];
    weights[j] /= Math.sqrt(shape.headDim);
  }
  const largest = weights.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let j = 0; j < weights.length; j++) sum += weights[j] = Math.exp(weights[j] - largest);
  for (let j = 0; j < weights.length; j++) weights[j] /= sum;
  return { weights, logSumExp: largest + Math.log(sum) };
}
