import process from "node:process";
import { root } from "../support/places.ts";
import { adapterIn, type Figure, type Part, type PartResult } from "./part.ts";

// Of what a program says on stderr, so much is kept: its end.
const LAST_WORDS = 2000;

/** What all parts of an hour have in common. */
export interface Hour {
  /** Sizes for a software device, which may be as slow as it likes. */
  tiny: boolean;
  /** A folder that is removed afterwards. */
  scratch: string;
  /** Ends the part that runs. */
  stop?: AbortSignal;
}

/**
 * Runs a part to its end, or kills it when its time is up: it and all processes that it started, which would hold the device, and the
 * pipes that are read here.
 *
 * @param left seconds that all parts together still have
 */
export async function runPart(
  part: Part,
  { tiny, scratch, stop }: Hour,
  left: number,
): Promise<PartResult> {
  const { name } = part;
  if (left < 2) return { name, state: "left out", seconds: 0, figures: [], reason: "no time was left" };
  const started = performance.now();
  const since = () => (performance.now() - started) / 1000;
  let child: Deno.ChildProcess;
  try {
    child = start(part, tiny, scratch);
  } catch (error) {
    const reason = `it cannot be started: ${(error as Error).message}`;
    return { name, state: "failed", seconds: since(), figures: [], reason };
  }
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const limit = 1000 * Math.min(tiny ? Infinity : part.seconds, left);
  const late = await Promise.race([child.status.then(() => false), after(limit, stop).then(() => true)]);
  // A process that waits for a device hears no other signal.
  killGroup(child.pid);
  // One that waits within the driver does not even end by that one; what left the group and still holds a pipe is not waited for.
  const status = await Promise.race([child.status, after(PATIENCE)]);
  await Promise.race([Promise.all([stdout.ended, stderr.ended]), after(PATIENCE)]);
  const { fault, ...found } = foundBy(part, stdout.text());
  const words = (stderr.text().trim() || (late ? "" : stdout.text().trim())).slice(-LAST_WORDS);
  const told = { name, seconds: since(), ...found, words };
  if (!status) {
    return {
      ...told,
      state: "out of time",
      reason: `process ${child.pid} does not end by SIGKILL: dmesg may say why`,
    };
  }
  if (late) return { ...told, state: "out of time", reason: reasonIn(words) };
  const reason = status.code === 0 ? fault : `status ${status.code}: ${reasonIn(words)}`;
  return { ...told, state: reason === undefined ? "ok" : "failed", reason };
}

function start(part: Part, tiny: boolean, scratch: string): Deno.ChildProcess {
  const [program, ...args] = part.command(tiny);
  return new Deno.Command(program, {
    args,
    cwd: root,
    env: { NO_COLOR: "1", ...part.env?.(tiny, scratch) },
    // In a group of its own, whose number is its own.
    ...{ stdin: "null", stdout: "piped", stderr: "piped", detached: true },
  }).spawn();
}

/** The line of some last words that says why: what is told as an error, not the stack or the hint behind it. */
function reasonIn(words: string): string {
  const lines = words.split("\n");
  const error = lines.findLast((line) => /^error: /.test(line));
  return error?.replace(/^error: (Uncaught (\(in promise\) )?)?/, "") ?? lines.at(-1)!;
}

// Milliseconds that a killed part may take to end, and its pipes to be read to their end.
const PATIENCE = 3000;

/** Resolves after so many milliseconds, or when it is stopped; keeps no process alive. */
function after(milliseconds: number, stop?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (Number.isFinite(milliseconds)) Deno.unrefTimer(setTimeout(resolve, milliseconds));
    if (stop?.aborted) resolve();
    stop?.addEventListener("abort", () => resolve(), { once: true });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of it is left
  }
}

/** What comes through a pipe, as far as it has come. */
function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): { text(): string; ended: Promise<void> } {
  let all = "";
  const take = async () => {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) all += piece;
  };
  return { text: () => all, ended: take() };
}

function foundBy(part: Part, stdout: string): { figures: Figure[]; adapter?: string; fault?: string } {
  try {
    const figures = part.read(stdout);
    if (figures.length === 0) return { figures, fault: "it found no figures" };
    const odd = figures.find(({ value }) => !Number.isFinite(value));
    const fault = odd ? `${odd.what} is ${odd.value}` : part.fault?.(figures);
    return { figures, adapter: adapterIn(stdout), fault };
  } catch (error) {
    return { figures: [], fault: `its output cannot be read: ${(error as Error).message}` };
  }
}
