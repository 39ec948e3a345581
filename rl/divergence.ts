import type { Scratch } from "../gpu/arena.ts";
import { categorical } from "../gpu/ops/categorical/categorical.ts";
import { divergence } from "../gpu/ops/categorical/divergence.ts";
import { rowsOf, type Tensor } from "../gpu/tensor.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import { headChunkRows, logits } from "../model/transformer/head.ts";
import { uploadLayout } from "../model/transformer/packing.ts";
import { pickForward, pickRows } from "../model/transformer/picked_rows.ts";
import { forwardPacked, type Model } from "../model/transformer/transformer.ts";
import { ALONE, type Learners } from "./cluster/learners.ts";
import { type Action, packBatch, type ScoredGroup } from "./packed_batch.ts";
import { packedInput } from "./packed_input.ts";
import { uploadWords } from "./through_head.ts";

/** How far a policy is from its base on rollouts of the policy, in nats an action; null where there are no such actions. */
export interface Divergence {
  /**
   * Of thinking steps. Where they are tokens, the k3 estimator at the temperature they were drawn at; else the KL divergence of the
   * whole next-token distributions at the temperature of the thinking, both models reading the rows that were fed.
   */
  kl_thinking: number | null;
  /** Of answer tokens, by the k3 estimator at temperature 1. */
  kl_answer: number | null;
}

/** What is compared. */
interface Compared {
  policy: Model;
  base: Model;
  thinking: Thinking;
  /** [rollouts, steps, d]: the rows that continuous thinking fed. */
  hidden: Tensor;
}

/** What each action came to, for some micro-batches. */
type Fetch = () => Promise<Float64Array>;

/**
 * KL(policy || base) on rollouts of the policy, in micro-batches. Both models run the same arithmetic on the same rows, so that it is exactly
 * 0 where their weights are the same.
 * @param learners each has some of the rollouts; the means are of all
 */
export async function divergenceOf(
  compared: Compared,
  parts: readonly ScoredGroup[][],
  learners = ALONE,
): Promise<Divergence> {
  const fetches = parts.map((part) => comparePart(compared, part));
  return {
    kl_thinking: await meanOf(fetches.map(({ thinking }) => thinking), learners),
    kl_answer: await meanOf(fetches.map(({ answer }) => answer), learners),
  };
}

function comparePart(compared: Compared, groups: readonly ScoredGroup[]): { thinking: Fetch; answer: Fetch } {
  const { policy, base, thinking, hidden } = compared;
  const { gpu } = policy;
  using scratch = gpu.arena.scratch();
  const batch = packBatch(groups, {
    continuous: thinking.continuous,
    steps: hidden.shape[1],
    scale: 1,
    thinkingWeight: 1,
    tileRows: gpu.subgroupSize,
  });
  const layout = uploadLayout(gpu, scratch, batch.packed);
  const run = (model: Model): Ran => {
    const x = packedInput(model, batch, thinking.continuous ? hidden : undefined, scratch);
    forwardPacked(model, x, layout);
    return { model, output: x };
  };
  const ran = [run(policy), run(base)] as const;
  return {
    thinking: thinking.continuous
      ? wholeDivergence(ran, batch.thinking, thinking.tau)
      : tokenDivergence(ran, batch.thinking, thinking.tau),
    answer: tokenDivergence(ran, batch.answer, 1),
  };
}

/** A model, and its last block's output for the rows of a micro-batch. */
interface Ran {
  model: Model;
  output: Tensor;
}

type Both = readonly [policy: Ran, base: Ran];

/** k3 = r - 1 - ln r, r = p_base / p of the token (J. Schulman, "Approximating KL divergence"): unbiased, and at least 0. */
function tokenDivergence(ran: Both, actions: readonly Action[], tau: number): Fetch {
  if (actions.length === 0) return nothing;
  const [{ model }] = ran;
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const tokens = uploadWords(model, scratch, Uint32Array.from(actions, ({ token }) => token));
  const unused = scratch.f32([actions.length], "action weights");
  const logps = [scratch.f32([actions.length], "ln p"), scratch.f32([actions.length], "ln p of base")];
  eachChunk(ran, actions, scratch, (z, first, count) => {
    const of = (tensor: Tensor) => rowsOf(tensor, first, count);
    logps.forEach((logp, i) =>
      categorical(gpu, z[i], config.usedVocabSize, tau, of(tokens), of(unused), of(logp), false)
    );
  });
  const fetches = logps.map((logp) => gpu.reader.start(logp));
  return async () => {
    const [own, base] = [new Float32Array(await fetches[0]()), new Float32Array(await fetches[1]())];
    return Float64Array.from(own, (logp, i) => Math.expm1(base[i] - logp) - (base[i] - logp));
  };
}

/** KL of the whole distributions. */
function wholeDivergence(ran: Both, actions: readonly Action[], tau: number): Fetch {
  if (actions.length === 0) return nothing;
  const [{ model: { gpu, config } }] = ran;
  using scratch = gpu.arena.scratch();
  const kl = scratch.f32([actions.length], "divergence");
  eachChunk(ran, actions, scratch, ([z, base], first, count) => {
    divergence(gpu, z, base, config.usedVocabSize, tau, rowsOf(kl, first, count));
  });
  const fetch = gpu.reader.start(kl);
  return async () => Float64Array.from(new Float32Array(await fetch()));
}

/** Both models' logits of the actions, a chunk at a time. */
function eachChunk(
  ran: Both,
  actions: readonly Action[],
  scratch: Scratch,
  measure: (z: readonly Tensor[], first: number, count: number) => void,
): void {
  const [{ model }] = ran;
  const picked = pickRows(model.gpu, scratch, Uint32Array.from(actions, ({ row }) => row));
  const inputs = ran.map(({ model, output }) => pickForward(model, output, picked, scratch));
  const chunk = headChunkRows(model);
  for (let first = 0; first < actions.length; first += chunk) {
    using temporary = model.gpu.arena.scratch();
    const count = Math.min(chunk, actions.length - first);
    measure(
      ran.map(({ model }, i) => logits(model, rowsOf(inputs[i].y, first, count), temporary)),
      first,
      count,
    );
  }
}

const nothing: Fetch = () => Promise.resolve(new Float64Array(0));

async function meanOf(fetches: readonly Fetch[], learners: Learners): Promise<number | null> {
  let sum = 0;
  let count = 0;
  for (const fetch of fetches) {
    const values = await fetch();
    for (const value of values) sum += value;
    count += values.length;
  }
  const all = (await learners.gather([sum, count])).reduce(([s, c], [sum, count]) => [s + sum, c + count]);
  return all[1] === 0 ? null : all[0] / all[1];
}
