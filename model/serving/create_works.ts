import type { ErrorLog } from "../../gpu/error_log.ts";
import { GpuError } from "../../gpu/errors.ts";
import { EngineFailedError } from "./admission.ts";

/** Other work of the device than generation, one work after the other, each a part at a time. */
export interface Works {
  /** Requests that wait for some. */
  readonly waiting: ReadonlySet<object>;
  /** See `Engine.between`. */
  add<T>(request: object, work: AsyncGenerator<void, T>, signal?: AbortSignal): Promise<T>;
  /**
   * Does the next part of the first one; nothing where there is none. What it throws is its own.
   * @throws GpuError if the device failed
   */
  takePart(): Promise<void>;
  /** Nothing is done any more: all fail. */
  fail(error: unknown): void;
}

interface Work {
  request: object;
  work: AsyncGenerator<void, unknown>;
  signal?: AbortSignal;
  done(value: unknown): void;
  failed(error: unknown): void;
}

/** Works in the order in which they come. */
export function createWorks(errors: ErrorLog): Works {
  const works: Work[] = [];
  const refuse = async ({ failed }: Work, error: unknown) => {
    const cause = await errors.explain(error);
    if (!(cause instanceof GpuError)) return failed(cause);
    failed(new EngineFailedError(cause));
    throw cause;
  };
  return {
    get waiting() {
      return new Set(works.map(({ request }) => request));
    },
    add<T>(request: object, work: AsyncGenerator<void, T>, signal?: AbortSignal): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        works.push({ request, work, signal, done: (value) => resolve(value as T), failed: reject });
      });
    },
    async takePart() {
      const [next] = works;
      if (!next) return;
      try {
        if (next.signal?.aborted) {
          await next.work.return(undefined);
          next.failed(next.signal.reason);
        } else {
          const { done, value } = await next.work.next();
          if (!done) return;
          next.done(value);
        }
      } catch (error) {
        await refuse(next, error);
      }
      works.shift();
    },
    fail(error) {
      for (const { failed } of works.splice(0)) failed(error);
    },
  };
}
