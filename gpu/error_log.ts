import { GpuError } from "./errors.ts";

/** Errors that WebGPU reports out of band; `check` throws the first one not yet thrown. */
export interface ErrorLog {
  /** Throws a {@link GpuError} if the device reported anything since the last call. */
  check(): void;
  /** Waits for the result of a validation scope and keeps its error. */
  watch(scope: Promise<GPUError | null>, what: string): void;
  /** Resolves when all watched scopes have reported. */
  settled(): Promise<void>;
}

/** Listens to the device: an uncaptured WebGPU error is silent otherwise. */
export function watchErrors(device: GPUDevice): ErrorLog {
  let first: GpuError | undefined;
  const pending = new Set<Promise<void>>();
  const keep = (message: string) => first ??= new GpuError(message);
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault?.();
    keep((event as GPUUncapturedErrorEvent).error.message);
  });
  device.lost.then((info) => {
    if (info.reason !== "destroyed") keep(`the device was lost: ${info.message}`);
  });
  return {
    check() {
      const error = first;
      first = undefined;
      if (error) throw error;
    },
    watch(scope, what) {
      const done = scope.then((error) => {
        if (error) keep(`${what}: ${error.message}`);
        pending.delete(done);
      });
      pending.add(done);
    },
    async settled() {
      await Promise.all(pending);
    },
  };
}
