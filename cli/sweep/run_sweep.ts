import { UserError } from "../../gpu/errors.ts";
import { isTaken, namesIn } from "../../model/files/on_disk.ts";
import { writeJson, writeWhole } from "../../model/files/write_whole.ts";
import { toToml } from "../settings/config_file.ts";
import { counted } from "../terminal/counted.ts";
import { Interrupted } from "../terminal/interrupt.ts";
import type { Progress } from "../terminal/progress.ts";
import { type Children, createChildren, type Ended } from "./children.ts";
import { type Job, type JobPart, jobsOf } from "./jobs_of.ts";
import { freeLock } from "./free_lock.ts";
import type { SweepWork } from "./sweep_flags.ts";
import { type JobRecord, readJob, type SweepFolder, writeJob } from "./sweep_folder.ts";
import type { PlannedRun, SweepPlan } from "./sweep_plan.ts";
import { duration } from "../terminal/duration.ts";

/** How a sweep is run. */
export interface SweepRun extends Pick<SweepWork, "jobs" | "words"> {
  /** Aborted: let the processes save, and stop. */
  signal: AbortSignal;
  progress: Progress;
  /** The runs to make, with what is measured of the models that they start from; all if left out. */
  only?: readonly PlannedRun[];
}

/** A job that did not come to its end. */
export interface Failure {
  name: string;
  what: string;
  message: string;
  log: string;
}

/**
 * Makes the model that runs start from, then does the jobs, so many at a time. What is done already is left as it is; a job that fails is
 * named in the result and stops no other.
 *
 * @throws Interrupted when the signal was aborted and all processes have saved
 * @throws UserError if the model cannot be made, or the folder cannot be written to
 */
export async function runSweep(folder: SweepFolder, plan: SweepPlan, run: SweepRun): Promise<Failure[]> {
  const { jobs: atOnce, words, progress, only } = run;
  const children = createChildren();
  const broken = new AbortController();
  const signal = AbortSignal.any([run.signal, broken.signal]);
  const stop = () => children.stop();
  signal.addEventListener("abort", stop);
  const open: OpenSweep = {
    ...{ folder: folder.path, children, words, signal, progress },
    giveUp: (error) => broken.abort(error),
    env: threadsFor(atOnce),
  };
  try {
    if (plan.base) await makeBase(open, plan.base);
    const jobs = jobsOf(folder.path, plan, only);
    const left = jobs.filter(({ parts }) => parts.some(({ isDone }) => !isDone));
    const { done, failures } = await doAll(open, left, jobs.length - left.length, atOnce);
    if (broken.signal.aborted) throw refused(broken.signal.reason, folder.path);
    if (signal.aborted && done + failures.length < jobs.length) {
      throw new Interrupted(`${done} of ${counted(jobs.length, "job")} are done; the same command goes on.`);
    }
    return failures;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

interface OpenSweep {
  folder: string;
  children: Children;
  /** Of each training's and evaluation's command line, beside its settings. */
  words: readonly string[];
  /** Aborted by whoever stops the sweep, or by what it cannot do itself: its processes save, and none begins. */
  signal: AbortSignal;
  giveUp(error: unknown): void;
  progress: Progress;
  /** Of processes that run beside others. */
  env: Record<string, string>;
}

/** On a software device processes share the cores; threads of theirs that wait for each other would only stand in the way. */
function threadsFor(jobs: number): Record<string, string> {
  if (Deno.env.get("LP_NUM_THREADS") !== undefined || jobs === 1) return {};
  return { LP_NUM_THREADS: `${Math.max(1, Math.floor(navigator.hardwareConcurrency / jobs))}` };
}

async function doAll(
  open: OpenSweep,
  jobs: readonly Job[],
  before: number,
  atOnce: number,
): Promise<{ done: number; failures: Failure[] }> {
  const { signal, progress, giveUp } = open;
  const waiting = [...jobs];
  const running: string[] = [];
  const failures: Failure[] = [];
  let done = before;
  const show = () =>
    progress.update(done, {
      ...(running.length > 0 ? { running: running.join(" ") } : {}),
      ...(failures.length > 0 ? { failed: failures.length } : {}),
    });
  const work = async () => {
    for (let job = waiting.shift(); job && !signal.aborted; job = waiting.shift()) {
      running.push(job.name);
      show();
      const failure = await doJob(open, job);
      running.splice(running.indexOf(job.name), 1);
      if (failure) failures.push(failure);
      else if (!signal.aborted) done++;
      show();
    }
  };
  // What the sweep itself cannot do, as to write, ends it; its processes save first.
  await Promise.all(Array.from({ length: atOnce }, () => work().catch(giveUp)));
  return { done, failures };
}

function refused(error: unknown, folder: string): unknown {
  if (error instanceof UserError || typeof (error as { code?: unknown }).code !== "string") return error;
  return new UserError(
    `Cannot go on with the sweep in ${folder}: ${(error as Error).message}`,
    "what it has done is kept: make room, then give the same command again",
  );
}

/** Does what is not done of a job; returns what went wrong. */
async function doJob(open: OpenSweep, job: Job): Promise<Failure | undefined> {
  const { folder, signal, progress } = open;
  const began = performance.now();
  const log = `${folder}/logs/${job.name}.log`;
  for (const part of job.parts.filter(({ isDone }) => !isDone)) {
    const whole = part.evaluation !== undefined || !isTaken(`${folder}/runs/${job.name}/config.toml`);
    const ended = part.evaluation ? await evaluate(open, part, log) : await train(open, job.run!, log);
    if (signal.aborted && ended.code !== 0) return undefined;
    const record: JobRecord = readJob(folder, job.name);
    if (ended.code === 0) {
      // One that was interrupted says nothing of how long it takes.
      record.seconds[part.name] = whole ? ended.seconds : null;
      delete record.failed;
    } else record.failed = { what: part.name, status: ended.code, message: ended.message };
    writeJob(folder, job.name, record);
    if (record.failed) {
      progress.log(`failed   ${job.name}, ${part.name}: ${ended.message}`);
      return { name: job.name, what: part.name, message: ended.message, log };
    }
    if (signal.aborted) return undefined;
  }
  progress.log(`done     ${job.name} in ${duration((performance.now() - began) / 1000)}`);
}

async function train(
  { folder, children, words, signal, env }: OpenSweep,
  { name, settings }: PlannedRun,
  log: string,
): Promise<Ended> {
  const out = `${folder}/runs/${name}`;
  const file = `${folder}/settings/${name}.toml`;
  writeWhole(file, toToml(settings));
  const isBegun = isTaken(`${out}/config.toml`);
  if (isBegun) await freeLock(`${out}/lock`, signal);
  else if (isTaken(out)) Deno.removeSync(out, { recursive: true });
  const how = isBegun ? ["--resume"] : [];
  return await children.run(["train", "--config", file, "--out", out, "--json", ...how, ...words], log, {
    env,
  });
}

async function evaluate(
  { children, words, env }: OpenSweep,
  { evaluation }: JobPart,
  log: string,
): Promise<Ended> {
  const { of: { tasks, settings }, model, report } = evaluation!;
  Deno.mkdirSync(report.slice(0, report.lastIndexOf("/")), { recursive: true });
  const file = `${report.replace(/\.json$/, "")}.toml`;
  writeWhole(file, toToml(settings));
  const ended = await children.run(
    ["eval", ...tasks, "--model", model, "--config", file, "--json", ...words],
    log,
    { env },
  );
  Deno.removeSync(file);
  if (ended.code === 0) writeJson(report, JSON.parse(ended.stdout));
  return ended;
}

/** Makes the model that runs start from, beside its place: half a model never lies there. */
async function makeBase(
  { folder, children, signal, progress }: OpenSweep,
  settings: Record<string, unknown>,
): Promise<void> {
  if (isTaken(`${folder}/base`)) return;
  for (const name of namesIn(folder).filter((name) => /^base\..*\.tmp$/.test(name))) {
    Deno.removeSync(`${folder}/${name}`, { recursive: true });
  }
  const beside = `${folder}/base.${crypto.randomUUID().slice(0, 13)}.tmp`;
  const file = `${folder}/settings/base.toml`;
  writeWhole(file, toToml(settings));
  progress.log("base     making the model that runs start from");
  const ended = await children.run(["sft", "--config", file, "--out", beside], `${folder}/logs/base.log`, {
    said: (line) => progress.show(`base     ${line}`),
  });
  if (signal.aborted && ended.code !== 0) {
    throw new Interrupted("Stopped while the base was made: the same command begins it again.");
  }
  if (ended.code !== 0) {
    throw new UserError(
      `Cannot make the model that runs start from: ${ended.message}`,
      `${folder}/logs/base.log has what it said`,
    );
  }
  Deno.renameSync(beside, `${folder}/base`);
  writeJob(folder, "base", { seconds: { sft: ended.seconds } });
  progress.log(`done     base in ${duration(ended.seconds)}`);
}
