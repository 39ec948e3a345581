import { type Finished, softcotCommand } from "../../cli/support/run_softcot.ts";

/** A signal that is to come. */
export interface Strike {
  signal: Deno.Signal;
  /** Milliseconds from the start of the process. */
  after: number;
}

/** How a process ended. */
export interface Struck extends Finished {
  /** The signal that ended it; of those that it answers it has a status of its own. */
  signal: Deno.Signal | null;
  /** It ran when its strike came. */
  isStruck: boolean;
  /** Seconds from the strike to the end. */
  dying: number;
}

/** A process that is deaf to a signal for so long is killed, in milliseconds. */
const DEAF = 120_000;

/** Runs the program, and sends it a signal on its way. `started` is given its process id. */
export async function runStruck(
  args: string[],
  strike?: Strike,
  started: (pid: number) => void = () => {},
): Promise<Struck> {
  const child = softcotCommand(args, {
    ...{ env: { NO_COLOR: "1" }, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  started(child.pid);
  let ended = false, struckAt = 0;
  let deaf: ReturnType<typeof setTimeout> | undefined;
  const timer = strike && setTimeout(() => {
    if (ended) return;
    struckAt = performance.now();
    try {
      child.kill(strike.signal);
    } catch {
      // It ended this moment.
    }
    deaf = setTimeout(() => child.kill("SIGKILL"), DEAF);
  }, strike.after);
  const { code, signal, stdout, stderr } = await child.output().finally(() => ended = true);
  clearTimeout(timer);
  clearTimeout(deaf);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    ...{ code, signal, stdout: text(stdout), stderr: text(stderr) },
    isStruck: struckAt > 0,
    dying: struckAt > 0 ? (performance.now() - struckAt) / 1000 : 0,
  };
}
