import { DeviceLostError, GpuError, OutOfMemoryError, UserError } from "./errors.ts";

/** Errors that WebGPU reports out of band; `check` throws the first one not yet thrown. */
export interface ErrorLog {
  /**
   * Throws if the device reported anything since the last call.
   * @throws OutOfMemoryError if it had no memory left, DeviceLostError if it is lost, else the first {@link GpuError}
   */
  check(): void;
  /** Waits for the result of an error scope and keeps its error; `memory`, of one around an allocation: bytes held beside it, and its own. */
  watch(scope: Promise<GPUError | null>, what: string, memory?: OutOfMemoryError["memory"]): void;
  /** Resolves when all watched scopes have reported. */
  settled(): Promise<void>;
  /** The error that lies behind one: calls to a lost device fail in many ways before it is said that it is lost. */
  explain(error: unknown): Promise<unknown>;
}

/** In milliseconds: by then WebGPU has said that a device is lost whose calls fail. */
const UNTIL_SAID = 200;

/** Listens to the device: an uncaptured WebGPU error is silent otherwise. */
export function watchErrors(device: GPUDevice): ErrorLog {
  let first: GpuError | undefined;
  let lost: DeviceLostError | undefined;
  const pending = new Set<Promise<void>>();
  const keep = (error: GPUError, what?: string, memory?: OutOfMemoryError["memory"]) => {
    const message = what === undefined ? error.message : `${what}: ${error.message}`;
    const isMemory = error instanceof GPUOutOfMemoryError;
    // What follows from a buffer that was not made says nothing of its own.
    if (isMemory && !(first instanceof OutOfMemoryError)) first = new OutOfMemoryError(message, memory);
    first ??= new GpuError(message);
  };
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault?.();
    keep((event as GPUUncapturedErrorEvent).error);
  });
  const isLost = device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed") lost = new DeviceLostError(message || "its driver does not say why");
  });
  // A device that had no memory left may be lost by what follows from that.
  const cause = () => first instanceof OutOfMemoryError ? first : lost;
  return {
    check() {
      const error = cause() ?? first;
      first = undefined;
      if (error) throw error;
    },
    watch(scope, what, memory) {
      const done = scope.then((error) => {
        if (error) keep(error, what, memory);
        pending.delete(done);
      });
      pending.add(done);
    },
    async settled() {
      await Promise.all(pending);
    },
    async explain(error) {
      if (error instanceof UserError || error instanceof OutOfMemoryError) return error;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const waited = new Promise<void>((resolve) => timer = setTimeout(resolve, UNTIL_SAID));
      await Promise.race([isLost, waited]);
      clearTimeout(timer);
      return cause() ?? error;
    },
  };
}
