/**
 * Generation by continuous batching for jobs that come while others run: the strides, slots of the KV cache, prefill and ways of thinking
 * of `generation/`, in a loop that lives as long as its server. Each turn:
 *
 * 1. choices of waiting jobs are admitted while there are rows for them, fairly among jobs;
 * 2. the next rows of their prompts are prefilled, a bounded number, so that nobody who is being answered waits for a long prompt;
 * 3. all that are ready take a stride of steps, each group of equal settings by its own kernels (`step_by_group.ts`);
 * 4. the tokens are told; who has ended, was stopped or gave up leaves.
 *
 * Rows are row-invariant and draws are keyed by each choice's own number, so a text is the same alone and in a crowd.
 *
 * @module
 */
import { DeviceLostError } from "../../gpu/errors.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Model } from "../transformer/transformer.ts";
import { EngineFailedError, QueueFullError } from "./admission.ts";
import { createTurns, type TurnFigures, type TurnOptions } from "./create_turns.ts";
import { createWorks } from "./create_works.ts";
import type { ServingJob } from "./serving_job.ts";

/** What an engine may take. */
export interface EngineOptions extends TurnOptions {
  /** Requests that may wait for all their choices to begin, or for other work. */
  mostWaiting: number;
}

/** Figures of an engine. */
export interface EngineFigures extends TurnFigures {
  /** Requests that wait. */
  waiting: number;
}

/** Generates for as many as come. */
export interface Engine {
  /**
   * Resolves when all choices of the job have ended, or it has given up.
   * @throws QueueFullError if too many other requests wait, and none of its jobs runs or waits yet
   * @throws EngineFailedError if the device failed, of which nothing recovers
   * @throws what the job's own listeners threw: it ended with that, others go on
   */
  submit(job: ServingJob): Promise<void>;
  /**
   * Has other work of the device done between strides: what it does up to its next `yield` before each, and one work after the other.
   * @param request whose work it is, as in `ServingJob`
   * @param signal gives up: what is left is not done
   * @throws QueueFullError, EngineFailedError as `submit`; DOMException AbortError where it has given up; what the work throws
   */
  between<T>(request: object, work: AsyncGenerator<void, T>, signal?: AbortSignal): Promise<T>;
  /** Resolves with what the device failed with. */
  readonly failed: Promise<unknown>;
  figures(): EngineFigures;
  /** Ends the loop when the turn at work is over, and frees the cache; jobs that are left fail. */
  close(): Promise<void>;
}

/** An engine at work on a model. */
export function createEngine(model: Model, tokenizer: Tokenizer, options: EngineOptions): Engine {
  const { gpu } = model;
  const scratch = gpu.arena.scratch();
  const works = createWorks(gpu.errors);
  const turns = createTurns(model, tokenizer, options, scratch);
  const { admission } = turns;
  const failing = Promise.withResolvers<unknown>();
  let failure: { error: unknown } | undefined;
  let closing = false;
  let wake = () => {};

  const loop = async (): Promise<void> => {
    while (!closing) {
      if (works.waiting.size === 0 && turns.isIdle()) {
        await new Promise<void>((resolve) => wake = resolve);
        continue;
      }
      await works.takePart();
      await turns.turn();
      await turns.hear();
    }
  };
  const fail = (cause: unknown) => {
    const error = new EngineFailedError(cause);
    failure = { error };
    admission.fail(error);
    works.fail(error);
  };
  const ended = loop().catch(async (error) => {
    const cause = await gpu.errors.explain(error);
    fail(cause);
    failing.resolve(cause);
  });
  // A device may be lost while nobody asks for anything.
  gpu.device.lost.then(({ reason, message }) => {
    if (reason === "destroyed" || failure) return;
    const cause = new DeviceLostError(message || "its driver does not say why");
    fail(cause);
    failing.resolve(cause);
  });
  const waiting = () => admission.waiting.union(works.waiting);
  const refusal = (request: object): { error: unknown } | undefined => {
    if (failure || admission.has(request)) return failure;
    const others = waiting();
    if (others.has(request) || others.size < options.mostWaiting) return undefined;
    return { error: new QueueFullError(`${options.mostWaiting} requests wait already`) };
  };
  return {
    submit(job) {
      const refused = refusal(job.request);
      if (refused) return Promise.reject(refused.error);
      const done = admission.submit(job);
      wake();
      return done;
    },
    between<T>(request: object, work: AsyncGenerator<void, T>, signal?: AbortSignal): Promise<T> {
      const refused = refusal(request);
      if (refused) return Promise.reject(refused.error);
      const done = works.add(request, work, signal);
      wake();
      return done;
    },
    failed: failing.promise,
    figures: () => ({ ...turns.figures(), waiting: waiting().size }),
    async close() {
      closing = true;
      wake();
      await ended;
      if (!failure) fail(new Error("Cannot go on: the engine was closed"));
      scratch[Symbol.dispose]();
    },
  };
}
