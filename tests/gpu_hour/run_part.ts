import { root } from "../support/places.ts";
import type { Figure, Part, PartResult } from "./part.ts";

// Of what a program says on stderr, so much is kept: its end.
const LAST_WORDS = 2000;

/** What all parts of an hour have in common. */
export interface Hour {
  /** Sizes for a software device, which may be as slow as it likes. */
  tiny: boolean;
  /** A folder that is removed afterwards. */
  scratch: string;
}

/**
 * Runs a part to its end, or kills it when its time is up.
 *
 * @param left seconds that all parts together still have
 */
export async function runPart(part: Part, { tiny, scratch }: Hour, left: number): Promise<PartResult> {
  const { name } = part;
  if (left < 2) return { name, state: "left out", seconds: 0, figures: [], reason: "no time was left" };
  const started = performance.now();
  const [program, ...args] = part.command(tiny);
  const child = new Deno.Command(program, {
    args,
    cwd: root,
    env: { NO_COLOR: "1", ...part.env?.(tiny, scratch) },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let late = false;
  // A process that waits for a device hears no other signal.
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, 1000 * Math.min(tiny ? Infinity : part.seconds, left));
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => new Response(stream).text()),
  );
  const { code } = await child.status;
  clearTimeout(timer);
  const seconds = (performance.now() - started) / 1000;
  const { fault, ...found } = foundBy(part, stdout);
  if (late) return { name, state: "out of time", seconds, ...found, reason: lastWords(stderr) };
  const reason = code === 0 ? fault : `status ${code}: ${lastWords(stderr) || lastWords(stdout)}`;
  return { name, state: reason === undefined ? "ok" : "failed", seconds, ...found, reason };
}

function foundBy(part: Part, stdout: string): { figures: Figure[]; adapter?: string; fault?: string } {
  try {
    const figures = part.read(stdout);
    if (figures.length === 0) return { figures, fault: "it found no figures" };
    const odd = figures.find(({ value }) => !Number.isFinite(value));
    const fault = odd ? `${odd.what} is ${odd.value}` : part.fault?.(figures);
    return { figures, adapter: part.adapter?.(stdout), fault };
  } catch (error) {
    return { figures: [], fault: `its output cannot be read: ${(error as Error).message}` };
  }
}

const lastWords = (text: string) => text.trim().slice(-LAST_WORDS);
