import { errorOf } from "../../gpu/device/error_of.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { attentionTiles } from "../../gpu/ops/attention/tiles.ts";
import { packGroups, uploadLayout } from "../../model/transformer/packing.ts";

// Two heads on one of keys, of a width whose root is no power of two; more keys than the widest tile and workgroup have rows.
const HEADS = { heads: 2, kvHeads: 1, headDim: 32 };
const [PROMPT, LENGTHS] = [150, [40, 1]] as const;

/**
 * Tries the attention of packed rows, as prefill and training have it, over a prompt and two sequences that go on with it.
 * @returns its normalised mean squared error against f64; NaN where it has no numbers
 */
export async function attentionError(gpu: Gpu): Promise<number> {
  using scratch = gpu.arena.scratch();
  const { heads, kvHeads, headDim } = HEADS;
  const packed = packGroups([{ prompt: PROMPT, continuations: [...LENGTHS] }], gpu.subgroupSize);
  const { rows, starts: [[, ...starts]] } = packed;
  const put = (label: string, width: number, phase: number) => {
    const data = Float32Array.from({ length: rows * width }, (_, i) => Math.sin(phase + 0.7 * i));
    const tensor = scratch.f32([rows, width], `self test ${label}`);
    gpu.commands.upload(tensor, data);
    return { data, tensor };
  };
  const q = put("q", heads * headDim, 1);
  const [k, v] = [put("k", kvHeads * headDim, 2), put("v", kvHeads * headDim, 3)];
  const out = scratch.f32([rows, heads * headDim], "self test attention");
  const lse = scratch.f32([rows, heads], "self test lse");
  const layout = uploadLayout(gpu, scratch, packed);
  attentionTiles(gpu, HEADS, q.tensor, { k: k.tensor, v: v.tensor }, layout, out, lse);
  const found = new Float32Array(await gpu.reader.read(out));
  const expected = new Float64Array(rows * heads * headDim);
  for (let row = 0; row < rows; row++) {
    const keys = keysOf(row, starts);
    for (let head = 0; head < heads; head++) {
      const at = (row * heads + head) * headDim;
      expected.set(attend(q.data.subarray(at, at + headDim), k.data, v.data, keys), at);
    }
  }
  return errorOf(found, expected);
}

/** The rows whose keys a row sees: its prompt's, and its own sequence's up to itself. */
function keysOf(row: number, starts: readonly number[]): number[] {
  const own = starts.findLast((start) => start <= row);
  const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return own === undefined ? upTo(0, row) : [...upTo(0, PROMPT - 1), ...upTo(own, row)];
}

/** One query's mixture of the values of some rows, by one head of keys. */
function attend(q: Float32Array, k: Float32Array, v: Float32Array, keys: readonly number[]): Float64Array {
  const { headDim } = HEADS;
  const scores = keys.map((key) =>
    q.reduce((sum, value, c) => sum + value * k[key * headDim + c], 0) / Math.sqrt(headDim)
  );
  const most = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from(
    { length: headDim },
    (_, c) => weights.reduce((sum, weight, i) => sum + weight * v[keys[i] * headDim + c], 0) / total,
  );
}
