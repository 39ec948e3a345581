import { hurryOwnCode } from "../../eval/own_code/own_code.ts";
import { readSystemFile } from "../../gpu/device/system_files.ts";
import { say } from "./print.ts";

/** The variable that tells a process of a sweep which process started it: it ends, as by SIGTERM, when that one does. */
export const PARENT = "SOFTCOT_STARTED_BY";

/** Watches for Ctrl-C while a long command runs. */
interface InterruptWatch extends Disposable {
  /** Aborted by the first Ctrl-C (or SIGTERM, SIGHUP, SIGUSR2): finish the step, save, and throw `Interrupted`. */
  readonly signal: AbortSignal;
}

/** Statuses by signal, as shells have them: 128 and the signal's number. */
export const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGUSR2: 140 } as const;

type Watched = keyof typeof STATUS;

// Windows knows no others.
const SIGNALS: readonly Watched[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"];

/** Of the signal that came last. */
let lastStatus: number = STATUS.SIGINT;

let hangupIgnored = false;

/**
 * Has SIGHUP stay ignored where this process was started so (`nohup softcot train &`), as far as the kernel tells it (Linux). To be
 * called before any signal is watched, and before permissions are given up.
 */
export function keepHangupIgnored(): void {
  const mask = /^SigIgn:\s*([\da-f]+)/m.exec(readSystemFile("/proc/self/status") ?? "")?.[1] ?? "0";
  if (hangupIgnored || !(BigInt(`0x${mask}`) & 1n)) return; // SIGHUP is signal 1, the lowest bit
  hangupIgnored = true;
  // As soon as any signal is listened to, Deno takes care of this one too, and ends the process by it unless it has a listener.
  Deno.addSignalListener("SIGHUP", () => {});
}

/** Whether a signal is to be acted on: all but a hangup that is ignored. */
export const isHeard = (name: Watched): boolean => name !== "SIGHUP" || !hangupIgnored;

/**
 * Turns the first SIGINT, SIGTERM, SIGHUP (a terminal that is gone, as with a dropped connection) or SIGUSR2 (what mpirun passes on, and
 * schedulers can send before time is up; SIGUSR1 is Deno's own) into an aborted signal, which a long command polls between steps, and
 * hurries own code; the second ends the process at once, with the signal's status. Dispose of the watch (`using`) to
 * get the usual behaviour back.
 *
 * Begins where the work does whose progress is worth keeping, after everything is opened: until then Ctrl-C ends the process at
 * once, as it does by itself, whatever a model's files make it compute.
 *
 * @param notice told to the user after the first signal; nothing where it is empty
 */
export function watchInterrupt(notice: string): InterruptWatch {
  const controller = new AbortController();
  const handlers = SIGNALS.filter(isHeard).map((name) => {
    const handler = () => {
      lastStatus = STATUS[name];
      if (controller.signal.aborted) Deno.exit(lastStatus);
      if (notice) say(`\n${notice}`);
      controller.abort();
      hurryOwnCode();
      // From now on Deno itself ends the process, by a thread of its own: a software device may keep this one busy for minutes.
      setTimeout(unwatch, 50);
    };
    return { name, handler };
  });
  for (const { name, handler } of handlers) Deno.addSignalListener(name, handler);
  const unwatch = () => handlers.forEach(({ name, handler }) => Deno.removeSignalListener(name, handler));
  const watch = watchParent(() => handlers.find(({ name }) => name === "SIGTERM")?.handler());
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearInterval(watch);
      unwatch();
    },
  };
}

/**
 * To be called by a process of a sweep right before it takes a run's folder: where the sweep was killed meanwhile, the one that goes on
 * with it starts another process for the same run.
 *
 * @throws Interrupted if the process that started this one, and said so, is there no more
 */
export function refuseOrphan(): void {
  const parent = Deno.env.get(PARENT);
  if (parent === undefined || `${Deno.ppid}` === parent) return;
  lastStatus = STATUS.SIGTERM;
  throw new Interrupted("Stopped before anything was begun: the sweep that started this is there no more.");
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

/** Thrown by a long command that a signal stopped, after it has saved what it had. */
export class Interrupted extends Error {
  /** What the process is to end with: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, 140 after SIGUSR2. */
  readonly status = lastStatus;

  /** @param message what was kept, and how to go on */
  constructor(message: string) {
    super(message);
    this.name = "Interrupted";
  }
}
