import type { Scratch } from "../gpu/arena.ts";
import { gather } from "../gpu/ops/gather.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { checkContext, rowsOfRollout } from "./context.ts";
import { decode, type GenerationState, type Slot } from "./decode.ts";
import { createKvCache } from "./kv_cache.ts";
import { packRows, type RowRun, uploadLayout } from "./packing.ts";
import type { GeneratedBatch, GenerateRequest, Rollout, StepStats } from "./rollout.ts";
import { detectAnswer, detectEnd, detectTrigger } from "./thinking_text.ts";
import { hardThinking } from "./thinking/hard.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { forwardCached, type Model } from "./transformer.ts";

export { checkContext, rowsOfRollout } from "./context.ts";
export type { GeneratedBatch, GenerateRequest, ObservedStep, Part, Rollout, StepStats } from "./rollout.ts";

/**
 * Generates rollouts: prefill of each prompt once, thinking, the forced string, the answer (method section 4).
 * All sampling is done on the GPU; token ids are read every few positions.
 * @param scratch keeps `hidden` for the caller
 */
export async function generate(
  model: Model,
  tokenizer: Tokenizer,
  request: GenerateRequest,
  scratch: Scratch,
): Promise<GeneratedBatch> {
  using own = model.gpu.arena.scratch();
  const state = openState(model, tokenizer, request, own, scratch);
  const { slots } = state;
  const { maxThinking, maxAnswer } = request.rules;
  const x = prefillPrompts(state);
  await decode(state, x, {
    part: "thinking",
    first: 0,
    steps: maxThinking,
    step: (input) => request.thinking.step(input),
    push: (slot, id) => {
      slots[slot].thinking.push(id);
      return slots[slot].thinkingDetector.push(id) !== null;
    },
    feedLast: request.plain !== true,
  });
  if (request.plain) return { rollouts: await collect(state), hidden: state.hidden };
  const answering = hardThinking(request.answerTau);
  const answerRows = prefillForced(state);
  await decode(state, answerRows, {
    part: "answer",
    first: maxThinking,
    steps: maxAnswer,
    step: (input) => answering.step(input),
    push: (slot, id) => {
      slots[slot].answer.push(id);
      return slots[slot].answerDetector.push(id) !== null;
    },
    feedLast: false,
  });
  return { rollouts: await collect(state), hidden: state.hidden };
}

function openState(
  model: Model,
  tokenizer: Tokenizer,
  request: GenerateRequest,
  scratch: Scratch,
  lasting: Scratch,
): GenerationState {
  const { prompts, group, rules, thinking } = request;
  const { maxThinking, maxAnswer } = rules;
  const ownRows = request.plain ? maxThinking : rowsOfRollout(rules);
  checkContext(model, Math.max(...prompts.map((prompt) => prompt.length)), ownRows);
  const promptRows = prompts.reduce((sum, prompt) => sum + prompt.length, 0);
  const slots: Slot[] = [];
  let prefixStart = 0;
  prompts.forEach((prompt, b) => {
    for (let g = 0; g < group; g++) {
      slots.push({
        prompt: b,
        promptLength: prompt.length,
        prefixStart,
        ownStart: promptRows + slots.length * ownRows,
        rollout: request.rolloutIds[slots.length],
        base: prompt.length,
        thinkingDetector: request.plain ? detectEnd(rules) : detectTrigger(tokenizer, rules),
        answerDetector: detectAnswer(tokenizer, rules),
        thinking: [],
        answer: [],
      });
    }
    prefixStart += prompt.length;
  });
  const columns = maxThinking + maxAnswer;
  const d = model.config.hiddenSize;
  return {
    model,
    request,
    scratch,
    slots,
    columns,
    cache: createKvCache(scratch, model.config, promptRows + slots.length * ownRows),
    tokens: scratch.u32([slots.length, columns], "tokens"),
    stats: scratch.f32([slots.length, columns, 4], "step stats"),
    hidden: lasting.f32(
      thinking.continuous ? [slots.length, Math.max(maxThinking, 1), d] : [1, 1, d],
      "hidden",
    ),
  };
}

/** Rows of tokens through all blocks; returns the outputs of the rows in `pick`. */
function prefill(state: GenerationState, ids: number[], runs: RowRun[], pick: number[]): Tensor {
  const { model, scratch } = state;
  const { gpu, config, params } = model;
  const d = config.hiddenSize;
  const picked = scratch.f32([pick.length, d], "prefill output");
  using temporary = gpu.arena.scratch();
  const index = temporary.u32([ids.length], "prefill ids");
  gpu.commands.upload(index, Uint32Array.from(ids));
  const pickIndex = temporary.u32([pick.length], "prefill pick");
  gpu.commands.upload(pickIndex, Uint32Array.from(pick));
  const x = temporary.f32([ids.length, d], "prefill rows");
  gather(gpu, params.embedding, index, x);
  const layout = uploadLayout(gpu, temporary, packRows(runs, gpu.subgroupSize));
  forwardCached(model, x, state.cache, { ...layout, shift: 0 });
  gather(gpu, x, pickIndex, picked);
  return picked;
}

function prefillPrompts(state: GenerationState): Tensor {
  const { prompts } = state.request;
  const lastRows: number[] = [];
  let row = 0;
  const runs = prompts.map((prompt): RowRun => {
    const run = { rows: prompt.length, prefixStart: 0, prefixLen: 0, ownStart: row, position: 0 };
    row += prompt.length;
    lastRows.push(row - 1);
    return run;
  });
  return prefill(state, prompts.flat(), runs, state.slots.map((slot) => lastRows[slot.prompt]));
}

function prefillForced(state: GenerationState): Tensor {
  const { slots, request: { rules } } = state;
  const ids: number[] = [];
  const pick: number[] = [];
  const runs = slots.map((slot): RowRun => {
    const forced = rules.forcedIds[slot.thinkingDetector.forced!];
    const position = slot.promptLength + slot.thinking.length;
    slot.base = position + forced.length;
    ids.push(...forced);
    pick.push(ids.length - 1);
    return {
      rows: forced.length,
      prefixStart: slot.prefixStart,
      prefixLen: slot.promptLength,
      ownStart: slot.ownStart,
      position,
    };
  });
  return prefill(state, ids, runs, pick);
}

async function collect(state: GenerationState): Promise<Rollout[]> {
  const { columns, slots, request } = state;
  const { rules } = request;
  const stats = new Float32Array(await state.model.gpu.reader.read(state.stats));
  const part = (slot: number, first: number, steps: number): StepStats => {
    const pick = (field: number) =>
      Float32Array.from({ length: steps }, (_, t) => stats[(slot * columns + first + t) * 4 + field]);
    return { logp: pick(0), entropy: pick(1), gap: pick(2) };
  };
  return slots.map((slot, index): Rollout => {
    const forcedKind = slot.thinkingDetector.forced!;
    return {
      prompt: slot.prompt,
      slot: index,
      thinking: slot.thinking,
      thinkingEnd: slot.thinkingDetector.ended!,
      forced: request.plain ? [] : rules.forcedIds[forcedKind],
      forcedKind,
      answer: slot.answer,
      answerEnd: slot.answerDetector.ended ?? "limit",
      thinkingStats: part(index, 0, slot.thinking.length),
      answerStats: part(index, rules.maxThinking, slot.answer.length),
    };
  });
}
