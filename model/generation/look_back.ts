import type { Scratch } from "../../gpu/arena.ts";
import { choose } from "../../gpu/ops/choose/choose.ts";
import type { FewTokens } from "../../gpu/ops/few/few_tokens.ts";
import { largest, pickColumns } from "../../gpu/ops/few/largest.ts";
import { gather, NO_ROW } from "../../gpu/ops/gather/gather.ts";
import { reshape, rowsOf, sizeOf, type Tensor } from "../../gpu/tensor.ts";
import { roomForFew } from "../thinking/few_tokens.ts";
import { keyOf, type Thinking } from "../thinking/thinking.ts";
import { headChunkRows, logits } from "../transformer/head.ts";
import { packGroups, uploadLayout } from "../transformer/packing.ts";
import { pickForward, pickRows } from "../transformer/picked_rows.ts";
import { forwardPacked, type Model } from "../transformer/transformer.ts";
import type { Rollout } from "./rollout.ts";

/** A rollout whose steps are looked at again. */
export type LookedAt = Pick<Rollout, "index" | "thinking"> & {
  /** Number that keys its draws. */
  id: number;
};

/** Where they come from. */
export interface LookBack {
  model: Model;
  /** Continuous. */
  thinking: Thinking;
  /** Token ids that all of them follow. */
  prompt: readonly number[];
  /** One or more; those of more rows than `mostRows` go in several passes. */
  rollouts: readonly LookedAt[];
  /** [rollouts, steps, d]: the rows that thinking fed, those of a rollout at its `index`. */
  hidden: Tensor;
  /** Of all draws. */
  seed: number;
  /** The draws' last word. */
  step: number;
  /** Rows of a pass at most. */
  mostRows: number;
  /** Tokens a step of a mixture of the whole vocabulary: its largest weights. */
  width: number;
}

/** Steps of some rollouts, one rollout after the other. */
export interface SeenSteps {
  /** Tokens of each step: `width`, or where the way mixes a few all of them. */
  width: number;
  /** [steps, width]. */
  ids: Uint32Array;
  /** [steps, width]: what of the mixture each is. */
  weights: Float32Array;
  /** [steps, width]: their probabilities, by softmax(z / tau). */
  probabilities: Float32Array;
  /** [steps]: root mean square of the noise's standard normal numbers; empty where there is none. */
  noise: Float32Array;
}

/**
 * Takes the steps of finished rollouts once more, in a packed pass over the rows that were fed: rows are row-invariant and draws keyed by
 * what they are for, so that these are the very mixtures. To be called before the weights move.
 * @returns the passes, each of so many of the rollouts, with functions that fetch what was seen
 */
export function lookBack(request: LookBack): { count: number; fetch: () => Promise<SeenSteps> }[] {
  return partsOf(request).map((rollouts) => ({
    count: rollouts.length,
    fetch: rollouts.some(({ thinking }) => thinking.length > 0)
      ? lookAtPart({ ...request, rollouts })
      : () => Promise.resolve(NOTHING_SEEN),
  }));
}

const NOTHING_SEEN: SeenSteps = {
  ...{ width: 0, ids: new Uint32Array(0), weights: new Float32Array(0) },
  ...{ probabilities: new Float32Array(0), noise: new Float32Array(0) },
};

/** Rows that a rollout adds to its prompt's: the last thought is not read. */
const rowsAdded = ({ thinking }: LookedAt): number => Math.max(0, thinking.length - 1);

function partsOf({ prompt, rollouts, mostRows }: LookBack): LookedAt[][] {
  const parts: LookedAt[][] = [[]];
  let rows = prompt.length;
  for (const rollout of rollouts) {
    if (rows + rowsAdded(rollout) > mostRows && parts.at(-1)!.length > 0) {
      parts.push([]);
      rows = prompt.length;
    }
    parts.at(-1)!.push(rollout);
    rows += rowsAdded(rollout);
  }
  return parts;
}

function lookAtPart(request: LookBack): () => Promise<SeenSteps> {
  const { model, thinking, width } = request;
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const { y, info } = beforeSteps(request, scratch);
  const [actions] = y.shape;
  const k = thinking.few ?? Math.min(width, config.usedVocabSize);
  const few = roomForFew(scratch, actions, k);
  const probabilities = scratch.f32([actions, k], "probabilities of tokens");
  const noise = scratch.f32([actions], "sizes of noise");
  const chunk = headChunkRows(model);
  for (let first = 0; first < actions; first += chunk) {
    const of = (tensor: Tensor) => rowsOf(tensor, first, Math.min(chunk, actions - first));
    const found = { few: { ids: of(few.ids), values: of(few.values) }, probabilities: of(probabilities) };
    lookAtRows(request, of(y), of(info), found);
    thinking.noise?.({ ...request, info: of(info), shift: 0, out: of(noise) });
  }
  const reads = [few.ids, few.values, probabilities, noise].map((tensor) => gpu.reader.start(tensor));
  return async () => ({
    width: k,
    ids: new Uint32Array(await reads[0]()),
    weights: new Float32Array(await reads[1]()),
    probabilities: new Float32Array(await reads[2]()),
    noise: new Float32Array(await reads[3]()).subarray(0, thinking.noise ? actions : 0),
  });
}

/**
 * The packed pass: final-normed rows y [actions, d] that the steps were taken from, and info u32 [actions, 4] = (place in its chunk of the
 * head, rollout, 0, position), which keys their draws.
 */
function beforeSteps(
  { model, prompt, rollouts, hidden }: LookBack,
  scratch: Scratch,
): { y: Tensor; info: Tensor } {
  const { gpu, params, config: { hiddenSize: d } } = model;
  const { starts: [[first, ...starts]], ...packed } = packGroups(
    [{ prompt: prompt.length, continuations: rollouts.map(rowsAdded) }],
    gpu.subgroupSize,
  );
  const [rows, steps] = hidden.shape;
  const tokens = new Uint32Array(packed.rows).fill(NO_ROW);
  const thoughts = new Uint32Array(packed.rows).fill(NO_ROW);
  tokens.set(prompt, first);
  const before: number[] = [];
  const info: number[] = [];
  const chunk = headChunkRows(model);
  rollouts.forEach((rollout, r) => {
    for (let t = 0; t < rollout.thinking.length; t++) {
      before.push(t === 0 ? first + prompt.length - 1 : starts[r] + t - 1);
      info.push((before.length - 1) % chunk, rollout.id, 0, prompt.length + t);
      if (t < rowsAdded(rollout)) thoughts[starts[r] + t] = rollout.index * steps + t;
    }
  });
  const x = scratch.f32([packed.rows, d], "training rows");
  gather(gpu, params.embedding, words(model, scratch, tokens), x);
  gather(gpu, reshape(hidden, [rows * steps, d]), words(model, scratch, thoughts), x);
  forwardPacked(model, x, uploadLayout(gpu, scratch, packed));
  const { y } = pickForward(model, x, pickRows(gpu, scratch, Uint32Array.from(before)), scratch);
  return { y, info: reshape(words(model, scratch, Uint32Array.from(info)), [before.length, 4]) };
}

/** Takes the steps of a chunk of the head once more, and keeps their largest weights. */
function lookAtRows(
  { model, thinking, seed, step }: LookBack,
  y: Tensor,
  info: Tensor,
  { few, probabilities }: { few: FewTokens; probabilities: Tensor },
): void {
  const { gpu, config: { usedVocabSize: vocab } } = model;
  using scratch = gpu.arena.scratch();
  const [rows] = y.shape;
  const z = logits(model, y, scratch);
  const record = (label: string) => ({
    tokens: scratch.u32([rows, 1], `tokens of ${label}`),
    stats: scratch.f32([rows, 1, 4], `statistics of ${label}`),
    column: 0,
  });
  const chosen = scratch.u32([rows], "shadows seen");
  const p = scratch.f32(z.shape, "probabilities");
  gpu.commands.copy(z, 0, p, 0, sizeOf(z.shape));
  const key = keyOf({ seed, step }, 0);
  choose(gpu, "mixture", p, vocab, thinking.tau, info, 0, record("probabilities"), chosen, key);
  thinking.step({
    ...{ model, y, z, info, shift: 0, record: record("steps seen"), chosen, seed, step },
    next: scratch.f32(y.shape, "rows seen"),
    fed: scratch.f32([rows, 1, y.shape[1]], "rows seen, kept"),
    few,
  });
  if (thinking.few === undefined) largest(gpu, z, vocab, info, few);
  pickColumns(gpu, p, few.ids, probabilities);
}

function words({ gpu }: Model, scratch: Scratch, data: Uint32Array<ArrayBuffer>): Tensor {
  const tensor = scratch.u32([data.length], "words");
  gpu.commands.upload(tensor, data);
  return tensor;
}
