import type { Scratch } from "../gpu/arena.ts";
import type { StepRecord } from "../gpu/ops/choose/choose.ts";
import type { FewTokens } from "../gpu/ops/few/few_tokens.ts";
import { gather } from "../gpu/ops/gather/gather.ts";
import { rowsOf, type Tensor } from "../gpu/tensor.ts";
import { roomForFew } from "../model/thinking/few_tokens.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import { headChunkRows } from "../model/transformer/head.ts";
import type { Gradients } from "../model/transformer/params.ts";
import { finalNorm, type ForwardSaved, type Model } from "../model/transformer/transformer.ts";
import type { Action } from "./packed_batch.ts";
import { uploadWords } from "./through_head.ts";

/** Room for the tokens and weights of the rows that thinking fed, action by action, where the way of thinking mixes a few. */
export const createMixedRows = (
  scratch: Scratch,
  { few }: Thinking,
  actions: readonly Action[],
): FewTokens | undefined =>
  few === undefined || actions.length === 0 ? undefined : roomForFew(scratch, actions.length, few);

/** Room for what a way that takes its steps again finds of each action; hardly any where it does not. */
export function createRecord(
  scratch: Scratch,
  { rowBackward }: Thinking,
  actions: readonly Action[],
): StepRecord {
  const rows = rowBackward ? actions.length : 1;
  return {
    tokens: scratch.u32([rows, 1], "action shadows"),
    stats: scratch.f32([rows, 1, 4], "action choices"),
    column: 0,
  };
}

/** u32 [actions, 4]: (action, rollout, 0, position) of each, what keys its draws. */
export function uploadInfo(model: Model, scratch: Scratch, actions: readonly Action[]): Tensor {
  const info = scratch.u32([actions.length, 4], "action info");
  model.gpu.commands.upload(
    info,
    Uint32Array.from(actions.flatMap(({ rollout, position }, row) => [row, rollout, 0, position])),
  );
  return info;
}

/**
 * Adds what later steps send into the weights that thinking made its rows with, where these rows are functions of their actions and the
 * embedding trains: dx [rows, d] of the packed rows, a chunk of actions at a time.
 */
export function fedRowsBackward(
  model: Model,
  grads: Gradients,
  saved: ForwardSaved,
  actions: readonly Action[],
  { thinking, seed, step }: { thinking: Thinking; seed: number; step: number },
  mixed: FewTokens | undefined,
  dx: Tensor,
): void {
  const { embedding } = grads;
  if (!thinking.rowBackward || !embedding || actions.length === 0) return;
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const words = (pick: (action: Action) => number) =>
    uploadWords(model, scratch, Uint32Array.from(actions, pick));
  const made = words((action) => action.made);
  const from = words((action) => action.row);
  const info = uploadInfo(model, scratch, actions);
  const record = createRecord(scratch, thinking, actions);
  const chunk = headChunkRows(model);
  for (let first = 0; first < actions.length; first += chunk) {
    using temporary = gpu.arena.scratch();
    const count = Math.min(chunk, actions.length - first);
    const of = (tensor: Tensor) => rowsOf(tensor, first, count);
    const dRow = temporary.f32([count, config.hiddenSize], "d mixed rows");
    gather(gpu, dx, of(made), dRow);
    thinking.rowBackward({
      ...{ model, dRow, record, seed, step, info: of(info), grads: { ...grads, embedding } },
      few: mixed && { ids: of(mixed.ids), values: of(mixed.values) },
      hidden(scratch) {
        const [x, y] = ["fed from", "fed from, normed"].map((label) => scratch.f32(dRow.shape, label));
        gather(gpu, saved.output, of(from), x);
        finalNorm(model, x, y, scratch.f32([count], "rinv"));
        return y;
      },
    });
  }
}
