import type { Scratch } from "../../gpu/arena.ts";
import { decodeSteps } from "../generation/decode.ts";
import { createDecodeState } from "../generation/decode_state.ts";
import { type Prefill, prepareRuns } from "../generation/prefill.ts";
import type { Stride } from "../generation/stride.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { createKvCache } from "../transformer/kv_cache.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import type { Model } from "../transformer/transformer.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { copyPrompts } from "./copy_prompts.ts";
import { createPatience } from "./create_patience.ts";
import { planPrefill, type PrefillPlan, prefillRowsOf } from "./plan_prefill.ts";
import { createPromptCache } from "./prompt_cache.ts";
import type { ServedSequence } from "./served_sequence.ts";
import { type DrawKey, inGroups, roomForSeen, type SeenSteps, stepByGroup } from "./step_by_group.ts";
import { tellStride } from "./tell_stride.ts";

/** Milliseconds after which events are let in within a stride. */
const LONGEST_DEAF = 20;

/** Bytes of numbers that are seen of a stride's steps: they come to the CPU. */
const SEEN_BYTES = 2 ** 28;

/** What turns may take. */
export interface TurnOptions extends DrawKey {
  /** Choices that run at once, at most. */
  atOnce: number;
  /** Rows of the KV cache. */
  cacheRows: number;
  /** Positions that a text may have: within the model's context and the cache. */
  context: number;
  /** Rows of prompts that are prefilled before a stride; what suits the device if left out. */
  prefillRows?: number;
  /** Records a stride before the last one is read, as in `GenerationSettings`; what suits the device if left out. */
  readBehind?: boolean;
}

/** What turns came to. */
export interface TurnFigures {
  running: number;
  usedRows: number;
  cacheRows: number;
  /** Since it began. */
  promptTokens: number;
  sharedTokens: number;
  newTokens: number;
  strides: number;
}

/** What an engine does again and again. */
export interface Turns {
  /** Who waits, and who runs. */
  readonly admission: Admission;
  /** Nobody runs or waits, and every stride has been read. */
  isIdle(): boolean;
  /** Admits, prefills, takes a stride and tells what came of the one before, or of this. */
  turn(): Promise<void>;
  /** Lets events in. */
  hear(): Promise<void>;
  /** What it has done, and who runs. */
  figures(): TurnFigures;
}

interface UnreadStride {
  stride: Stride;
  seen: SeenSteps | null;
  readSeen: (() => Promise<ArrayBuffer>) | null;
  /** See `Patience`. */
  like: string;
  began: number;
}

/** Turns of continuous batching. `scratch` holds the KV cache and what decoding needs. */
export function createTurns(
  model: Model,
  tokenizer: Tokenizer,
  options: TurnOptions,
  scratch: Scratch,
): Turns {
  const { gpu } = model;
  const cache = createKvCache(scratch, model.config, options.cacheRows);
  const prompts = createPromptCache(options.cacheRows);
  let seen: SeenSteps | null = null;
  const state = createDecodeState({
    ...{ model, cache, slots: options.atOnce, continuous: true, alike: true, hidden: undefined },
    takeStep: stepByGroup(options, () => seen),
  }, scratch);
  const seenBytes = Math.min(SEEN_BYTES, gpu.device.limits.maxBufferSize);
  const seenPlaces = Math.floor(seenBytes / (4 * STRIDE * model.config.vocabSize));
  const admission = createAdmission(tokenizer, prompts, { ...options, seenPlaces });
  const patience = createPatience();
  const figures = { promptTokens: 0, newTokens: 0, strides: 0 };
  const budget = options.prefillRows ?? prefillRowsOf(gpu);
  const readBehind = options.readBehind ?? !gpu.adapter.software;
  const unread: UnreadStride[] = [];
  let heard = performance.now();
  /** Lets events in, by a timer: reads from the device resolve without a turn of the event loop, in which requests and signals come. */
  const hear = async (): Promise<void> => {
    await new Promise<void>((resolve) => void setTimeout(resolve, 0));
    heard = performance.now();
  };
  /** The next stride. A software device takes its steps while they are given to it, so events are let in between them. */
  const record = async (ready: ServedSequence[], prefill: Prefill | null): Promise<Stride> => {
    const steps = decodeSteps(state, ready, prefill);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      if (performance.now() - heard > LONGEST_DEAF) await hear();
    }
  };
  /** Gives the device the rows of prompts and a stride of steps of those who are ready. */
  const give = async (plan: PrefillPlan, ready: ServedSequence[]): Promise<void> => {
    const like = `${Math.ceil(rowsOf(plan) / 16)} ${ready.length}`;
    using temporary = gpu.arena.scratch();
    const prefill = plan.runs.length > 0 ? prepareRuns(model, cache, plan.rows, plan.runs, temporary) : null;
    seen = roomForSeen(model, ready, temporary);
    if (ready.length > 0) {
      const stride = await record(ready, prefill);
      const readSeen = seen && gpu.reader.start(seen.tensor);
      unread.push({ stride, seen, readSeen, like, began: performance.now() });
      figures.strides++;
    } else if (prefill) {
      prefill.record();
      // Waited for, so that the device never has more than a turn to do.
      if (unread.length === 0) {
        const read = gpu.reader.start({ ...state.info, shape: [4] });
        await patience.wait(like, performance.now(), read);
      }
    }
  };
  /** Reads strides until so many are left, and tells their tokens. */
  const tell = async (left: number): Promise<void> => {
    while (unread.length > left) {
      const { stride, seen, readSeen, like, began } = unread.shift()!;
      const bytes = await patience.wait(like, began, stride.read);
      const rows = readSeen && new Float32Array(await readSeen());
      const places = seen && rows && { ...seen, rows, width: model.config.vocabSize };
      figures.newTokens += tellStride(stride, bytes, places, admission);
    }
  };
  const { running } = admission;
  const turn = async (): Promise<void> => {
    admission.admit();
    copyPrompts(state, running);
    const plan = planPrefill(running, budget, options.cacheRows);
    figures.promptTokens += rowsOf(plan);
    const ready = inGroups(
      running.filter((one) => plan.rows.has(one) || (one.row !== null && one.steps < one.maxSteps)),
    );
    await give(plan, ready);
    await tell(ready.length > 0 && readBehind ? 1 : 0);
  };
  return {
    admission,
    isIdle: () => unread.length === 0 && admission.isIdle(),
    turn,
    hear,
    figures: () => ({
      ...figures,
      running: running.length,
      usedRows: prompts.usedRows,
      sharedTokens: prompts.sharedTokens,
      cacheRows: options.cacheRows,
    }),
  };
}

const rowsOf = ({ runs }: PrefillPlan): number => runs.reduce((sum, { ids }) => sum + ids.length, 0);
