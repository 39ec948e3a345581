/**
 * Hours of training and evaluation in turns on the software device, with a signal every few minutes at random (half of them kill -9, else TERM, HUP,
 * INT), gone on with each time. Each run and each evaluation is held against one that was never stopped, and the memory of each process is sampled.
 *
 *     ./softcot deno run -A tests/faults/soak.ts --out DIR [--hours 3] [--every 150] [--updates 400] [--seed 1]
 *
 * `--every` is the mean of the seconds between signals. The soak itself may be killed: the same command goes on, and counts its hours on; with hours
 * that are over it tells what came out. Ends with 1 where a result differed, a status was wrong, or memory grew.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { STATUS } from "../../cli/terminal/interrupt.ts";
import { seededUniform } from "../../eval/seeded_uniform.ts";
import { isThere } from "../../model/files/on_disk.ts";
import { sha256Of } from "../../model/files/sha256_of.ts";
import { writeWhole } from "../../model/files/write_whole.ts";
import { assertSameRun, checkpointsOf } from "../rl/support/run_files.ts";
import { jsonLines } from "../support/json_lines.ts";
import { memoryOf } from "../support/memory_of.ts";
import { assertSameEval } from "./support/assert_same_eval.ts";
import type { MemorySample } from "./support/memory.ts";
import { runStruck } from "./support/run_struck.ts";
import { type SoakState, tellSoak } from "./support/tell_soak.ts";

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "3" },
    out: { type: "string" },
    every: { type: "string", default: "150" },
    updates: { type: "string", default: "400" },
    seed: { type: "string", default: "1" },
  },
});
if (!values.out) throw new Error("Name a folder: --out DIR");
const out = values.out;
const hours = Number(values.hours);
const settings = { every: Number(values.every), updates: Number(values.updates), seed: Number(values.seed) };

/** What is trained in turns. */
const WAYS = ["soft", "hard"];
const SIGNALS: Deno.Signal[] = ["SIGKILL", "SIGTERM", "SIGKILL", "SIGHUP", "SIGKILL", "SIGINT"];
/** Seconds between samples of memory. */
const SAMPLE = 5;

Deno.mkdirSync(out, { recursive: true });
const place = `${out}/soak.json`;
const fresh: SoakState = { settings, seconds: 0, starts: 0, life: 0, signals: {}, done: [], faults: [] };
const state: SoakState = isThere(place) ? JSON.parse(Deno.readTextFileSync(place)) : fresh;
if (JSON.stringify(state.settings) !== JSON.stringify(settings)) {
  throw new Error(
    `${out} holds a soak with ${JSON.stringify(state.settings)}: give the same, or another folder`,
  );
}
state.starts++;
const save = () => writeWhole(place, JSON.stringify(state, null, 2));
const isOver = () => state.seconds >= hours * 3600;

// What the soak before this one was watching when it was killed goes on without being watched: it is struck, too.
if (state.pid !== undefined && commandLine(state.pid).includes(out)) {
  Deno.kill(state.pid, "SIGKILL");
  while (commandLine(state.pid).includes(out)) await new Promise((resolve) => setTimeout(resolve, 50));
}

function commandLine(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`);
  } catch {
    return "";
  }
}

/** One process, until it ends or is struck. Its time counts, and its memory is sampled. */
async function live(kind: string, args: string[], isWhole: boolean): Promise<"done" | "struck" | "failed"> {
  const random = seededUniform(settings.seed, state.life);
  const signal = SIGNALS[Math.floor(random() * SIGNALS.length)];
  const drawn = settings.every * (0.2 + 1.6 * random());
  // Those that nothing is held against are left alone, but for the end of all.
  const left = hours * 3600 - state.seconds;
  const isLast = isWhole || drawn > left;
  const strike = { signal: isLast ? "SIGKILL" as const : signal, after: 1000 * (isLast ? left : drawn) };
  const life = state.life++;
  const [began, before] = [performance.now(), state.seconds];
  let watch: ReturnType<typeof setInterval> | undefined;
  const { code, isStruck, dying, stderr, ...ended } = await runStruck(args, strike, (pid) => {
    state.pid = pid;
    save();
    watch = setInterval(() => {
      const at = (performance.now() - began) / 1000;
      state.seconds = before + at;
      save();
      const memory = memoryOf(pid);
      if (!memory) return;
      const sample: MemorySample = { life, kind, at, hour: state.seconds / 3600, ...memory };
      Deno.writeTextFileSync(`${out}/memory.jsonl`, `${JSON.stringify(sample)}\n`, { append: true });
    }, SAMPLE * 1000);
  }).finally(() => clearInterval(watch));
  state.seconds = before + (performance.now() - began) / 1000;
  delete state.pid;
  const killed = isStruck &&
    (strike.signal === "SIGKILL"
      ? ended.signal === "SIGKILL"
      : code === STATUS[signal as keyof typeof STATUS]);
  if (killed && !isLast) {
    const told = state.signals[signal] ??= { count: 0, slowest: 0 };
    told.count++;
    told.slowest = Math.max(told.slowest, dying);
  }
  if (!killed && code !== 0) {
    state.faults.push(
      `${args.join(" ")}: status ${code} ${isStruck ? `after ${signal}` : ""}\n${stderr.slice(-2000)}`,
    );
  }
  save();
  console.log(
    `${(state.seconds / 3600).toFixed(2)} h  ${kind}  ${
      killed ? `${strike.signal} after ${Math.round(strike.after / 1000)} s` : code === 0 ? "done" : "FAILED"
    }`,
  );
  return killed ? "struck" : code === 0 ? "done" : "failed";
}

/** Runs a command again and again until it is done; false where the hours are over, or it fails. */
async function toTheEnd(kind: string, command: () => string[], isWhole: boolean): Promise<boolean> {
  while (!isOver()) {
    const ended = await live(kind, command(), isWhole);
    if (ended === "failed") return false;
    if (ended === "done") return true;
  }
  return false;
}

/** Training and evaluation of one cycle, in its folder. */
async function cycle(way: string, folder: string, isWhole: boolean): Promise<boolean> {
  const [run, results] = [`${folder}/run`, `${folder}/eval`];
  const trainArgs = () =>
    isThere(`${run}/config.toml`) ? ["train", "--resume", "--out", run] : [
      "train",
      "--thinking",
      way,
      "--steps",
      `${settings.updates}`,
      "--test-questions",
      "32",
      "--out",
      run,
    ];
  const evalArgs =
    () => ["eval", "sums", "owners", "--model", run, "--out", results, "--samples", "8", "--seed", "5"];
  if (!isThere(`${folder}/trained`)) {
    if (!await toTheEnd(`train ${way}`, trainArgs, isWhole)) return false;
    Deno.writeTextFileSync(`${folder}/trained`, "");
  }
  return await toTheEnd(`eval ${way}`, evalArgs, isWhole);
}

const hashOf = (folder: string) =>
  sha256Of([`${folder}/run/checkpoints/${checkpointsOf(`${folder}/run`).at(-1)}/model.safetensors`]);

while (!isOver() && state.faults.length === 0) {
  const number = state.done.length;
  const way = WAYS[number % WAYS.length];
  // The first of each way is the one that is never stopped.
  const isWhole = number < WAYS.length;
  const [folder, whole] = [`${out}/${isWhole ? `whole-${way}` : "broken"}`, `${out}/whole-${way}`];
  Deno.mkdirSync(folder, { recursive: true });
  // A run that is to be whole begins anew where the soak itself was killed.
  if (isWhole && !isThere(`${folder}/trained`) && isThere(`${folder}/run`)) {
    Deno.removeSync(`${folder}/run`, { recursive: true });
  }
  if (isWhole && isThere(`${folder}/eval`)) Deno.removeSync(`${folder}/eval`, { recursive: true });
  if (!await cycle(way, folder, isWhole)) break;
  try {
    assertSameRun(`${folder}/run`, `${whole}/run`);
    assertSameEval(`${folder}/eval`, `${whole}/eval`);
  } catch (error) {
    state.faults.push(`${folder}: ${(error as Error).message.slice(0, 2000)}`);
    save();
    break;
  }
  state.done.push({ way, isWhole, hash: hashOf(folder) });
  save();
  if (!isWhole) Deno.removeSync(folder, { recursive: true });
}

const isFlat = tellSoak(state, isThere(`${out}/memory.jsonl`) ? jsonLines(`${out}/memory.jsonl`) : []);
Deno.exit(isFlat && state.faults.length === 0 ? 0 : 1);
