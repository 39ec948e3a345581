/** Training runs of a second or two, as processes: a small model with something to learn from, runs, kills, comparisons. */
import { assert, assertEquals } from "@std/assert";
import { testFolder } from "../../support/folders.ts";
import { ENV, softcotCommand, succeed } from "./run_softcot.ts";

/** Flags of `sft` for a model of 3,888 weights. */
export const SMALL_MODEL = ["--width", "16", "--heads", "2", "--layers", "1", "--mlp", "32"];

/** A folder for the tests of one file, and in it a small model that often closes the box it answers in: rewards differ. */
export async function smallModel(): Promise<{ folder: string; model: string }> {
  const folder = await testFolder();
  const steps = ["--steps", "80", "--batch", "8", "--warmup", "5", "--lr", "1e-2"];
  await succeed(["sft", ...SMALL_MODEL, ...steps, "--out", `${folder}/base`]);
  return { folder, model: `${folder}/base` };
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

/** Flags of `train` by their names; `true` for one without a value. */
export type TrainFlags = Record<string, string | number | true>;

/** `train` with the flags of a short run, and others in their place or beside them. */
export function trainArgs(flags: TrainFlags): string[] {
  const all = Object.entries<string | number | true>({ ...SMALL_RUN, ...flags });
  return [
    "train",
    ...all.flatMap(([name, value]) => value === true ? [`--${name}`] : [`--${name}`, `${value}`]),
  ];
}

/** `train` that goes on with a run. */
export const resumeArgs = (out: string): string[] => ["train", "--resume", "--out", out];

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
  const env = { NO_COLOR: "1", ...ENV };
  const child = softcotCommand(args, { env, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
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
