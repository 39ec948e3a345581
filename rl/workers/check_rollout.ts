import type { Scratch } from "../../gpu/arena.ts";
import { rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { roomForFew } from "../../model/thinking/few_tokens.ts";
import { hardThinking } from "../../model/thinking/hard.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import type { GenerationSettings, Rollout } from "../../model/generation/rollout.ts";
import { headChunkRows, logits } from "../../model/transformer/head.ts";
import { uploadLayout } from "../../model/transformer/packing.ts";
import { pickForward, pickRows } from "../../model/transformer/picked_rows.ts";
import { forwardPacked, type Model } from "../../model/transformer/transformer.ts";
import { uploadInfo } from "../fed_rows.ts";
import { type Action, packBatch } from "../packed_batch.ts";
import { packedInput } from "../packed_input.ts";
import { RefusedResult } from "./result.ts";

/** A rollout as somebody else made it. */
export interface OthersRollout {
  prompt: readonly number[];
  rollout: Rollout;
  /** Number that keys its draws. */
  id: number;
  /** [thinking tokens, d]: the rows that its thinking fed, where they were sent. */
  rows: Float32Array<ArrayBuffer> | undefined;
}

/**
 * How far steps may be from those of this device, since devices of another kind round otherwise: nats by which entropies, and logarithms of the
 * tokens' probabilities, differ in the mean, and one such logarithm at most; the share of tokens that may be others (where two nearly tie), the
 * share of rows, and the share of its length by which a row may be off. Other weights, draws or made-up tokens are further off by orders of
 * magnitude.
 */
const TOLERANCE = { nats: 2e-3, mostNats: 0.1, tokens: 0.1, row: 1e-2 };

/**
 * Takes all steps of a rollout once more, in one packed pass over what it fed: draws are keyed, so that the weights that it is said to be made
 * with choose the same tokens and rows again.
 * @throws RefusedResult if they do not
 */
export async function checkRollout(
  model: Model,
  { thinking, answerTau, seed, step }: Pick<GenerationSettings, "thinking" | "answerTau" | "seed" | "step">,
  { prompt, rollout, id, rows }: OthersRollout,
): Promise<void> {
  // Without them nothing behind the first thought can be known.
  if (thinking.continuous && !rows && rollout.thinking.length > 0) return;
  const taken = retake(model, { thinking, answerTau, seed, step }, { prompt, rollout, id, rows });
  const parts = [await taken.thinking(), await taken.answer()];
  const found = [
    { ids: rollout.thinking, stats: rollout.thinkingStats },
    { ids: rollout.answer, stats: rollout.answerStats },
  ];
  const total = found.reduce((sum, { ids }) => sum + ids.length, 0);
  const off = { tokens: 0, rows: 0, entropy: 0, logp: 0, mostLogp: 0 };
  found.forEach(({ ids, stats }, p) => {
    ids.forEach((token, i) => {
      const [logp, entropy] = parts[p].stats.subarray(4 * i);
      off.entropy += Math.abs(stats.entropy[i] - entropy) / total;
      if (token !== parts[p].tokens[i]) return void off.tokens++;
      const difference = Math.abs(stats.logp[i] - logp);
      off.logp += difference / total;
      off.mostLogp = Math.max(off.mostLogp, difference);
    });
  });
  const d = model.config.hiddenSize;
  if (thinking.continuous && rows) {
    for (let t = 0; t < rollout.thinking.length; t++) if (isOff(rows, parts[0].fed, t * d, d)) off.rows++;
  }
  const told = (count: number, of: number, what: string) =>
    new RefusedResult(
      `is not of the weights that it is said to be of: ${count} of ${of} ${what} of a rollout that was looked at are others`,
    );
  if (off.tokens > Math.ceil(TOLERANCE.tokens * total)) throw told(off.tokens, total, "tokens");
  if (off.rows > Math.ceil(TOLERANCE.tokens * total)) throw told(off.rows, rollout.thinking.length, "rows");
  const inNats = (nats: number, most: number, what: string) => {
    if (nats <= most) return;
    throw new RefusedResult(
      `is not of the weights that it is said to be of: ${what} ${
        nats.toPrecision(2)
      } nats in a rollout that was looked at`,
    );
  };
  inNats(off.entropy, TOLERANCE.nats, "entropies are off by");
  inNats(off.logp, TOLERANCE.nats, "ln p of tokens is off by");
  inNats(off.mostLogp, TOLERANCE.mostNats, "ln p of a token is off by");
}

function isOff(a: Float32Array, b: Float32Array, from: number, count: number): boolean {
  let [difference, length] = [0, 0];
  for (let i = from; i < from + count; i++) {
    difference += (a[i] - b[i]) ** 2;
    length += b[i] ** 2;
  }
  return !(difference <= TOLERANCE.row ** 2 * length);
}

/** Steps of one part, taken once more: tokens [steps], statistics [steps, 4], and of thinking the rows that they made [steps, d]. */
interface Retaken {
  tokens: Uint32Array;
  stats: Float32Array;
  fed: Float32Array;
}

type Settings = Pick<GenerationSettings, "thinking" | "answerTau" | "seed" | "step">;

function retake(
  model: Model,
  settings: Settings,
  { prompt, rollout, id, rows }: OthersRollout,
): { thinking: () => Promise<Retaken>; answer: () => Promise<Retaken> } {
  const { gpu, config } = model;
  const { thinking } = settings;
  using scratch = gpu.arena.scratch();
  const steps = Math.max(1, rollout.thinking.length);
  const { forced, answer } = rollout;
  const batch = packBatch(
    [{ prompt, rollouts: [{ id, index: 0, thinking: rollout.thinking, forced, answer, advantage: 0 }] }],
    { continuous: thinking.continuous, steps, scale: 1, thinkingWeight: 1, tileRows: gpu.subgroupSize },
  );
  let hidden: Tensor | undefined;
  if (thinking.continuous) {
    hidden = scratch.f32([1, steps, config.hiddenSize], "rows of a worker");
    if (rows && rows.length > 0) gpu.commands.upload(hidden, rows);
  }
  const x = packedInput(model, batch, hidden, scratch);
  forwardPacked(model, x, uploadLayout(gpu, scratch, batch.packed));
  const take = (way: Thinking, actions: readonly Action[]) =>
    takeAgain(model, settings, way, actions, x, scratch);
  return {
    thinking: take(thinking, batch.thinking),
    answer: take(hardThinking(settings.answerTau), batch.answer),
  };
}

function takeAgain(
  model: Model,
  { seed, step }: Settings,
  way: Thinking,
  actions: readonly Action[],
  output: Tensor,
  scratch: Scratch,
): () => Promise<Retaken> {
  const { gpu, config } = model;
  const [n, d] = [actions.length, config.hiddenSize];
  if (n === 0) {
    return () =>
      Promise.resolve({ tokens: new Uint32Array(), stats: new Float32Array(), fed: new Float32Array() });
  }
  const { y } = pickForward(
    model,
    output,
    pickRows(gpu, scratch, Uint32Array.from(actions, ({ row }) => row)),
    scratch,
  );
  const chunk = headChunkRows(model);
  const reads: { count: number; read: () => Promise<ArrayBuffer> }[] = [];
  for (let first = 0; first < n; first += chunk) {
    using temporary = gpu.arena.scratch();
    const count = Math.min(chunk, n - first);
    const record = {
      tokens: temporary.u32([count, 1], "tokens taken again"),
      stats: temporary.f32([count, 1, 4], "statistics taken again"),
      column: 0,
    };
    const fed = temporary.f32([count, 1, d], "rows taken again, kept");
    const own = rowsOf(y, first, count);
    way.step({
      ...{ model, y: own, z: logits(model, own, temporary), record, fed, seed, step, shift: 0 },
      info: uploadInfo(model, temporary, actions.slice(first, first + count)),
      chosen: temporary.u32([count], "chosen again"),
      next: temporary.f32([count, d], "rows taken again"),
      few: way.few === undefined ? undefined : roomForFew(temporary, count, way.few),
    });
    // One read brings all of it: each takes the device some time, whatever it brings.
    reads.push({
      count,
      read: gpu.reader.startPieces([
        { tensor: record.tokens, from: 0, count },
        { tensor: record.stats, from: 0, count: 4 * count },
        ...(way.continuous ? [{ tensor: fed, from: 0, count: d * count }] : []),
      ]),
    });
  }
  return async () => {
    const all: Retaken = {
      tokens: new Uint32Array(n),
      stats: new Float32Array(4 * n),
      fed: new Float32Array(way.continuous ? n * d : 0),
    };
    for (const [i, { count, read }] of reads.entries()) {
      const bytes = await read();
      all.tokens.set(new Uint32Array(bytes, 0, count), i * chunk);
      all.stats.set(new Float32Array(bytes, 4 * count, 4 * count), 4 * i * chunk);
      if (way.continuous) all.fed.set(new Float32Array(bytes, 20 * count, d * count), d * i * chunk);
    }
    return all;
  };
}
