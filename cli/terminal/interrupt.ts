import { say } from "./print.ts";

/** The variable that tells a process of a sweep which process started it: it ends, as by SIGTERM, when that one does. */
export const PARENT = "SOFTCOT_STARTED_BY";

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
  const watch = watchParent(handlers.SIGTERM);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearInterval(watch);
      Deno.removeSignalListener("SIGINT", handlers.SIGINT);
      if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGTERM", handlers.SIGTERM);
    },
  };
}

/** Calls `ended` when the process that started this one, and said so, is there no more. */
function watchParent(ended: () => void): ReturnType<typeof setInterval> | undefined {
  const parent = Deno.env.get(PARENT);
  if (parent === undefined) return undefined;
  const watch = setInterval(() => {
    if (`${Deno.ppid}` === parent) return;
    clearInterval(watch);
    ended();
  }, 500);
  Deno.unrefTimer(watch);
  return watch;
}

/** Thrown by a long command that Ctrl-C stopped, after it has saved what it had. */
export class Interrupted extends Error {
  /** @param message what was kept, and how to go on */
  constructor(message: string) {
    super(message);
    this.name = "Interrupted";
  }
}
