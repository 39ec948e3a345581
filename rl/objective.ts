import type { Scratch } from "../gpu/arena.ts";
import { entropyGradient } from "../gpu/ops/categorical/entropy_gradient.ts";
import { addInto } from "../gpu/ops/elementwise/elementwise.ts";
import type { FewTokens } from "../gpu/ops/few/few_tokens.ts";
import { gather } from "../gpu/ops/gather/gather.ts";
import { reshape, rowsOf, sizeOf, type Tensor } from "../gpu/tensor.ts";
import { type OlderActions, scoreTokens } from "../model/thinking/importance.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import { uploadLayout } from "../model/transformer/packing.ts";
import type { Gradients } from "../model/transformer/params.ts";
import {
  backwardTraining,
  type ForwardSaved,
  forwardTraining,
  type Model,
} from "../model/transformer/transformer.ts";
import { type Action, packBatch, type ScoredGroup } from "./packed_batch.ts";
import { createMixedRows, createRecord, fedRowsBackward, uploadInfo } from "./fed_rows.ts";
import { embeddingBackward, type Score, throughHead, uploadWords } from "./through_head.ts";
import { packedInput } from "./packed_input.ts";

/** What does not change between micro-batches. */
export interface ObjectiveSettings {
  thinking: Thinking;
  /** [rollouts, steps, d]: the rows that continuous thinking fed. */
  hidden: Tensor;
  /** 1 / (B G): groups that are skipped count. */
  scale: number;
  seed: number;
  step: number;
  /** Bound on the norm of dL/dz at one thinking position; 0 for none. */
  clipStep: number;
  /** A weight on the thinking term; 1 is the method. */
  thinkingWeight: number;
  /** Adds this times `scale` times the entropy (nats, temperature 1) of each action's token distribution to what is maximised; none if left out. */
  entropyBonus?: number;
  /** Keep block inputs only and compute the rest again in the backward pass. */
  recompute: boolean;
  /** The actions of the thinking alone; those of the answers too if left out. */
  term?: "thinking";
  /** Older weights took the actions: each is weighed by its truncated importance ratio. */
  older?: boolean;
}

/** Numbers of one micro-batch, action by action: rollout by rollout, step by step. */
export interface ActionRecord {
  /** Hard: ln pi of each thinking action. Continuous: rms of the mixture's deviation from the rollout's, in sigma. */
  thinking: Float32Array;
  /** Continuous: (norm of dL/dz, top-two gap, most probable token, 0) for each thinking action. */
  thinkingStats: Float32Array;
  /** ln pi of each answer action. */
  answer: Float32Array;
  /** Where older weights took the actions: ln (pi / pi_old) of each. */
  logRatios?: { thinking: Float32Array; answer: Float32Array };
}

/**
 * Adds to `grads` the gradient of -scale * sum over rollouts of A * (sum of ln pi of all its actions), thinking and
 * answer (method section 3), for one micro-batch of groups. Forced tokens are inputs, not actions. Where older weights took the actions, each
 * log-probability's gradient is weighed by its truncated importance ratio (section 10).
 * @returns a function that fetches the actions' numbers, once the GPU has them
 */
export function accumulateGradient(
  model: Model,
  grads: Gradients,
  groups: readonly ScoredGroup[],
  settings: ObjectiveSettings,
): () => Promise<ActionRecord> {
  const { gpu } = model;
  using scratch = gpu.arena.scratch();
  const batch = packBatch(groups, {
    continuous: settings.thinking.continuous,
    steps: settings.hidden.shape[1],
    scale: settings.scale,
    thinkingWeight: settings.thinkingWeight,
    tileRows: gpu.subgroupSize,
  });
  const x = packedInput(model, batch, settings.thinking.continuous ? settings.hidden : undefined, scratch);
  const saved = forwardTraining(
    model,
    x,
    uploadLayout(gpu, scratch, batch.packed),
    scratch,
    settings.recompute,
  );
  const dx = scratch.f32(x.shape, "d rows");
  gpu.commands.zero(dx);
  const mixed = createMixedRows(scratch, settings.thinking, batch.thinking);
  const thinking = scoreThinking(model, grads, saved, batch.thinking, settings, dx, mixed);
  const answers = settings.term === "thinking" ? [] : batch.answer;
  const answer = scoreAnswers(model, grads, saved, answers, settings, dx);
  backwardTraining(model, saved, grads, dx);
  embeddingBackward(model, grads, batch.ids, dx);
  fedRowsBackward(model, grads, saved, batch.thinking, settings, mixed, dx);
  return async () => {
    const { logRatios: ofThinking, ...record } = await thinking();
    const { answer: found, logRatios: ofAnswer } = await answer();
    const logRatios = settings.older && { thinking: ofThinking, answer: ofAnswer };
    return { ...record, answer: found, ...(logRatios ? { logRatios } : {}) };
  };
}

const LEAST_LOGP = -1e4;

/** A chunk of actions that older weights took. */
const olderRows = (
  older: OlderActions | undefined,
  first: number,
  count: number,
): OlderActions | undefined =>
  older && { logp: rowsOf(older.logp, first, count), logRatio: rowsOf(older.logRatio, first, count) };

/** Columns of the actions, on the device. */
function uploadActions(model: Model, scratch: Scratch, actions: readonly Action[], older = false) {
  const { gpu } = model;
  const numbers = (label: string, of: (action: Action) => number) => {
    const tensor = scratch.f32([actions.length], label);
    gpu.commands.upload(tensor, Float32Array.from(actions, of));
    return tensor;
  };
  return {
    weights: numbers("action weights", (action) => action.weight),
    older: older
      ? {
        // Of a token that underflowed, the ratio has to stay a number.
        logp: numbers("logarithms of older weights", ({ drawn }) => Math.max(LEAST_LOGP, drawn)),
        logRatio: scratch.f32([actions.length], "logarithms of ratios"),
      }
      : undefined,
    info: uploadInfo(model, scratch, actions),
    tokens: uploadWords(model, scratch, Uint32Array.from(actions, (action) => action.token)),
    measured: scratch.f32([actions.length], "action measure"),
    stats: scratch.f32([actions.length, 4], "action stats"),
  };
}

function scoreThinking(
  model: Model,
  grads: Gradients,
  saved: ForwardSaved,
  actions: readonly Action[],
  settings: ObjectiveSettings,
  dx: Tensor,
  mixed: FewTokens | undefined,
): () => Promise<{ thinking: Float32Array; thinkingStats: Float32Array; logRatios: Float32Array }> {
  const none = new Float32Array(0);
  if (actions.length === 0) {
    return () => Promise.resolve({ thinking: none, thinkingStats: none, logRatios: none });
  }
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const columns = uploadActions(model, scratch, actions, settings.older);
  const { thinking, hidden, seed, step, clipStep } = settings;
  const [rollouts, steps] = hidden.shape;
  const source = reshape(hidden, [rollouts * steps, config.hiddenSize]);
  const record = createRecord(scratch, thinking, actions);
  const hiddenRows = uploadWords(model, scratch, Uint32Array.from(actions, (action) => action.hiddenRow));
  const score: Score = (z, first, count, temporary, y) => {
    const fed = temporary.f32([count, config.hiddenSize], "fed rows");
    if (thinking.continuous) gather(gpu, source, rowsOf(hiddenRows, first, count), fed);
    return thinking.score({
      model,
      y,
      z,
      scratch: temporary,
      weights: rowsOf(columns.weights, first, count),
      tokens: rowsOf(columns.tokens, first, count),
      info: rowsOf(columns.info, first, count),
      measured: rowsOf(columns.measured, first, count),
      stats: rowsOf(columns.stats, first, count),
      fed,
      record,
      older: olderRows(columns.older, first, count),
      few: mixed && {
        ids: rowsOf(mixed.ids, first, count),
        values: rowsOf(mixed.values, first, count),
      },
      seed,
      step,
      grads,
      clipStep,
    });
  };
  throughHead(model, grads, saved, rowsOfActions(actions), dx, withEntropy(model, settings, score));
  const measured = gpu.reader.start(columns.measured);
  const stats = thinking.continuous ? gpu.reader.start(columns.stats) : undefined;
  const ratios = columns.older && gpu.reader.start(columns.older.logRatio);
  return async () => ({
    thinking: new Float32Array(await measured()),
    thinkingStats: stats ? new Float32Array(await stats()) : none,
    logRatios: ratios ? new Float32Array(await ratios()) : none,
  });
}

function scoreAnswers(
  model: Model,
  grads: Gradients,
  saved: ForwardSaved,
  actions: readonly Action[],
  settings: ObjectiveSettings,
  dx: Tensor,
): () => Promise<{ answer: Float32Array; logRatios: Float32Array }> {
  const none = new Float32Array(0);
  if (actions.length === 0) return () => Promise.resolve({ answer: none, logRatios: none });
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const { weights, tokens, measured, older } = uploadActions(model, scratch, actions, settings.older);
  const score: Score = (z, first, count) => {
    const of = (tensor: Tensor) => rowsOf(tensor, first, count);
    scoreTokens(gpu, {
      ...{ z, vocab: config.usedVocabSize, tau: 1, tokens: of(tokens), weights: of(weights) },
      ...{ logp: of(measured), older: olderRows(older, first, count) },
    });
    return { logits: z };
  };
  throughHead(model, grads, saved, rowsOfActions(actions), dx, withEntropy(model, settings, score));
  const fetch = gpu.reader.start(measured);
  const ratios = older && gpu.reader.start(older.logRatio);
  return async () => ({
    answer: new Float32Array(await fetch()),
    logRatios: ratios ? new Float32Array(await ratios()) : none,
  });
}

/** A score with the entropy's gradient added, where a bonus is asked for. */
function withEntropy(
  { gpu, config }: Model,
  { entropyBonus = 0, scale }: ObjectiveSettings,
  score: Score,
): Score {
  if (entropyBonus === 0) return score;
  return (z, first, count, temporary, y) => {
    const bonus = temporary.f32(z.shape, "d entropy");
    gpu.commands.copy(z, 0, bonus, 0, sizeOf(z.shape));
    entropyGradient(gpu, bonus, config.usedVocabSize, entropyBonus * scale);
    const found = score(z, first, count, temporary, y);
    if (!found.logits) return { ...found, logits: bonus };
    addInto(gpu, found.logits, bonus);
    return found;
  };
}

const rowsOfActions = (actions: readonly Action[]) => Uint32Array.from(actions, (action) => action.row);
