import { say } from "./print.ts";

/** Watches for Ctrl-C while a long command runs. */
interface InterruptWatch extends Disposable {
  /** Aborted by the first Ctrl-C (or SIGTERM): finish the step, save, and throw `Interrupted`. */
  readonly signal: AbortSignal;
}

/**
 * Turns the first SIGINT or SIGTERM into an aborted signal, which a long command polls between steps; the
 * second ends the process at once, with status 130 or 143. Dispose of the watch (`using`) to get the
 * usual behaviour back.
 *
 * Begins where the work does whose progress is worth keeping, after everything is opened: until then Ctrl-C ends the process at
 * once, as it does by itself, whatever a model's files make it compute.
 *
 * @param notice told to the user after the first signal
 */
export function watchInterrupt(notice: string): InterruptWatch {
  const controller = new AbortController();
  const handler = (status: number) => () => {
    if (controller.signal.aborted) Deno.exit(status);
    say(`\n${notice}`);
    controller.abort();
  };
  const handlers = { SIGINT: handler(130), SIGTERM: handler(143) };
  Deno.addSignalListener("SIGINT", handlers.SIGINT);
  // Windows knows no SIGTERM.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", handlers.SIGTERM);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      Deno.removeSignalListener("SIGINT", handlers.SIGINT);
      if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGTERM", handlers.SIGTERM);
    },
  };
}

/** Thrown by a long command that Ctrl-C stopped, after it has saved what it had. */
export class Interrupted extends Error {
  /** @param message what was kept, and how to go on */
  constructor(message: string) {
    super(message);
    this.name = "Interrupted";
  }
}
