/** Training runs of a second or two, as processes: a small model with something to learn from, runs, kills, comparisons. */
import { assert, assertEquals } from "@std/assert";
import { configured, type Finished, runSoftcot } from "./run_softcot.ts";
import { root } from "../../support/places.ts";

/** The Vulkan loader of some systems complains on stderr where this is not set; the launcher sets it, too. */
export const ENV = { XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp" };

/** A folder for the tests of one file, removed after the last of them. */
export async function testFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "softcot-test-" });
  Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));
  return folder;
}

/** Flags of `sft` for a model of 3,888 weights. */
export const SMALL_MODEL = ["--width", "16", "--heads", "2", "--layers", "1", "--mlp", "32"];

/** A small model that often closes the box it answers in, so that rewards differ. */
export async function smallModel(folder: string): Promise<string> {
  const steps = ["--steps", "80", "--batch", "8", "--warmup", "5", "--lr", "1e-2"];
  await succeed(["sft", ...SMALL_MODEL, ...steps, "--out", `${folder}/base`]);
  return `${folder}/base`;
}

/** Short runs whose every step trains; some answers are right. */
const SMALL_RUN = {
  questions: 2,
  group: 6,
  steps: 6,
  "max-thinking": 6,
  "answer-tokens": 5,
  lr: 0.01,
  warmup: 2,
  "validate-every": 4,
  "validation-questions": 4,
  "test-questions": 0,
  "save-every": 3,
  "sample-every": 2,
};

/** `train` with the flags of a short run, and others in their place or beside them; `true` for a flag without value. */
export function trainArgs(flags: Record<string, string | number | true>): string[] {
  const all = Object.entries<string | number | true>({ ...SMALL_RUN, ...flags });
  return [
    "train",
    ...all.flatMap(([name, value]) => value === true ? [`--${name}`] : [`--${name}`, `${value}`]),
  ];
}

/** Runs the program, which has to succeed. */
export async function succeed(args: string[]): Promise<Finished> {
  const done = await runSoftcot(args, ENV);
  assertEquals(done.code, 0, done.stderr);
  return done;
}

/** How a process ended that was stopped on its way. */
export interface Stopped {
  status: Deno.CommandStatus;
  stderr: string;
}

/** Starts the program and sends a signal once its run has logged `lines` steps. */
export const stopAt = (args: string[], out: string, lines: number, signal: Deno.Signal): Promise<Stopped> =>
  stopWhen(args, () => logged(out) >= lines, signal);

/** Starts the program and sends a signal as soon as `ready`, which is given what stderr says so far. */
export async function stopWhen(
  args: string[],
  ready: (stderr: string) => boolean,
  signal: Deno.Signal,
): Promise<Stopped> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", ...configured(), "cli/main.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1", ...ENV },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  const said = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
  })();
  let ended = false;
  const status = child.status.finally(() => ended = true);
  while (!ended && !ready(stderr)) await new Promise((resolve) => setTimeout(resolve, 4));
  if (!ended) child.kill(signal);
  const deaf = setTimeout(() => child.kill("SIGKILL"), 120_000);
  await said;
  const result = { status: await status, stderr };
  clearTimeout(deaf);
  return result;
}

function logged(out: string): number {
  try {
    return Deno.readTextFileSync(`${out}/metrics.jsonl`).split("\n").length - 1;
  } catch {
    return 0;
  }
}

/** The metrics of a run, without what depends on the clock. */
export function metricsOf(out: string): Record<string, unknown>[] {
  return Deno.readTextFileSync(`${out}/metrics.jsonl`).trimEnd().split("\n").map((line) => {
    const { time, ...rest } = JSON.parse(line);
    assert(time.step > 0 && Number.isFinite(time.rollout_tokens_per_second));
    return rest;
  });
}

/** Names of a run's checkpoints, the oldest first. */
export const checkpointsOf = (out: string): string[] =>
  [...Deno.readDirSync(`${out}/checkpoints`)].map((entry) => entry.name).sort();

/** Fails unless two runs logged the same and ended with the same bytes. */
export function assertSameRun(actual: string, expected: string): void {
  assertEquals(metricsOf(actual), metricsOf(expected));
  const text = (path: string) => Deno.readTextFileSync(path);
  assertEquals(text(`${actual}/samples.jsonl`), text(`${expected}/samples.jsonl`));
  const last = checkpointsOf(expected).at(-1)!;
  assertEquals(checkpointsOf(actual).at(-1), last);
  assertEquals(Deno.readLinkSync(`${actual}/best`), Deno.readLinkSync(`${expected}/best`));
  for (const folder of [`checkpoints/${last}`, "best"]) {
    const names = [...Deno.readDirSync(`${expected}/${folder}`)].map((entry) => entry.name).sort();
    assert(names.some((name) => /^(adapter_)?model\.safetensors$/.test(name)));
    assert(names.includes("optimizer.safetensors"));
    assertEquals([...Deno.readDirSync(`${actual}/${folder}`)].map((entry) => entry.name).sort(), names);
    for (const name of names) {
      const [ours, theirs] = [actual, expected].map((run) => Deno.readFileSync(`${run}/${folder}/${name}`));
      assert(
        ours.length === theirs.length && ours.every((byte, i) => byte === theirs[i]),
        `${folder}/${name} differs`,
      );
    }
  }
}
