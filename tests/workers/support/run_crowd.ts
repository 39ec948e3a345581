import type { Rollout } from "../../../model/generation/rollout.ts";
import { freeModel, type Model } from "../../../model/transformer/transformer.ts";
import { pause } from "../../../gpu/pause.ts";
import { lookAtNats } from "../../../rl/workers/look_at_nats.ts";
import { openPool } from "../../../rl/workers/open_pool.ts";
import { shareJobs } from "../../../rl/workers/share_jobs.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { tokenizer } from "../../model/support/small_models.ts";
import { tinyModel } from "../../rl/support/tiny_model.ts";
import { memoryOf, processorSeconds } from "../../support/memory_of.ts";
import { type KnownWork, knownWork, writeRollouts } from "./known_rollouts.ts";
import { type NatsServer, startNats } from "./nats_server.ts";
import { PRETENDED } from "./pretend_workers.ts";

/** How large a crowd is, and how much it does. */
export interface CrowdSize {
  workers: number;
  /** That they share. */
  processes: number;
  /** Of a rollout each. */
  jobs: number;
  /** That are wanted at once. */
  perUpdate: number;
}

/** What there was when so many jobs were done: memory in MiB, the store in bytes, and seconds of processors that each took. */
export interface CrowdSample {
  jobs: number;
  seconds: number;
  processors: { trainer: number; nats: number; workers: number };
  trainer: number;
  heap: number;
  nats: number;
  store: number;
}

/** What a crowd came to. */
export interface CrowdFigures {
  samples: CrowdSample[];
  /** Rollouts of each worker, by name. */
  byWorker: Map<string, number>;
  /** Rollouts that are not those that one device makes, that are missing, or that came more than once. */
  wrong: number;
  /** What the trainer said, and the workers. */
  said: string[];
  /** Jobs and results that are left at the server. */
  left: number;
  /** The most memory of one process of workers, MiB. */
  crowdPeak: number;
}

const SAMPLES = 100;

/**
 * Gives jobs to workers that compute nothing, over a NATS server, as a training does: this process is the trainer, with a small model that takes
 * each result's rollout once more.
 */
export async function runCrowd(
  size: CrowdSize,
  tell: (sample: CrowdSample) => void = () => {},
): Promise<CrowdFigures> {
  const folder = Deno.makeTempDirSync({ prefix: "softcot-crowd-" });
  try {
    const { gpu } = await openTestGpu();
    const model = tinyModel(gpu);
    const work = await knownWork(model, size.perUpdate);
    writeRollouts(`${folder}/rollouts.json`, work.known);
    await using nats = await startNats();
    const said: string[] = [];
    await using crowd = startCrowd(size, nats.url, `${folder}/rollouts.json`, said);
    const figures = await giveAll(size, model, work, { nats, crowd, said }, tell);
    freeModel(model);
    const { jobsWaiting, jobsAtWork, resultsWaiting } = await lookAtNats({ url: nats.url });
    const left = jobsWaiting! + jobsAtWork! + resultsWaiting!;
    return { ...figures, said, left, crowdPeak: crowd.peak() };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The trainer's part: all jobs, an update's after the other's. */
async function giveAll(
  { workers, jobs: wanted, perUpdate }: CrowdSize,
  model: Model,
  { jobs, settings, known }: KnownWork,
  { nats, crowd, said }: { nats: NatsServer; crowd: Crowd; said: string[] },
  tell: (sample: CrowdSample) => void,
): Promise<Pick<CrowdFigures, "samples" | "byWorker" | "wrong">> {
  await using pool = await openPool({
    ...{ nats: { url: nats.url }, version: PRETENDED, own: false },
    ...{ serveAt: { host: "127.0.0.1", port: 0 }, say: (line: string) => said.push(line) },
  });
  using shared = shareJobs(pool, { parcel: pool.files.addText("none fetches it", "parcel.json") });
  const [samples, byWorker]: [CrowdSample[], Map<string, number>] = [[], new Map()];
  for (let tries = 0; ((await pool.there())?.waiting ?? 0) < workers; tries++) {
    if (tries > 2000) throw new Error(`Cannot gather ${workers} workers: ${said.join("\n")}`);
    await pause(50);
  }
  const began = performance.now();
  let [done, wrong] = [0, 0];
  const words = ({ thinking, answer, thinkingStats, answerStats }: Rollout) =>
    `${[thinking, answer, thinkingStats.logp, answerStats.logp]}`;
  while (done < wanted) {
    const came = new Set<number>();
    await shared.run(model, tokenizer, jobs, { ...settings, atOnce: 1 }, {
      onRollout(rollout) {
        const isRight = words(rollout) === words(known.rollouts[rollout.index].rollout);
        if (came.has(rollout.index) || !isRight) wrong++;
        came.add(rollout.index);
        if (++done % Math.ceil(wanted / SAMPLES) > 0) return;
        samples.push(sampleOf(done, began, nats, crowd));
        tell(samples.at(-1)!);
      },
    });
    wrong += perUpdate - came.size;
    for (const { name, rollouts } of pool.takeSpent()) {
      byWorker.set(name, (byWorker.get(name) ?? 0) + rollouts);
    }
  }
  return { samples, byWorker, wrong };
}

const sampleOf = (jobs: number, began: number, nats: NatsServer, crowd: Crowd): CrowdSample => ({
  ...{ jobs, seconds: (performance.now() - began) / 1000 },
  processors: {
    trainer: processorSeconds(Deno.pid)!,
    nats: processorSeconds(nats.pid())!,
    workers: crowd.processorSeconds(),
  },
  ...{ trainer: memoryOf(Deno.pid)!.resident, heap: Deno.memoryUsage().heapUsed / 2 ** 20 },
  ...{ nats: memoryOf(nats.pid())!.resident, store: bytesIn(nats.store) },
});

/** Processes of workers, for the length of a scope. */
interface Crowd extends AsyncDisposable {
  /** The most memory of one of them, MiB. */
  peak(): number;
  /** Of all. */
  processorSeconds(): number;
}

function startCrowd(
  { workers, processes }: CrowdSize,
  url: string,
  list: string,
  said: string[],
): Crowd {
  const program = new URL("./pretend_workers.ts", import.meta.url).pathname;
  const children = Array.from({ length: processes }, (_, i) => {
    const [from, to] = [i, i + 1].map((k) => Math.floor(k * workers / processes));
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", program, url, `${from}`, `${to - from}`, list],
      ...{ stdin: "null", stdout: "null", stderr: "piped" },
    }).spawn();
  });
  const read = children.map(async ({ stderr }) => {
    for await (const text of stderr.pipeThrough(new TextDecoderStream())) said.push(text.trimEnd());
  });
  return {
    peak: () => Math.max(...children.map(({ pid }) => memoryOf(pid)?.peak ?? NaN)),
    processorSeconds: () => children.reduce((sum, { pid }) => sum + (processorSeconds(pid) ?? NaN), 0),
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(read);
      await Promise.all(children.map(({ status }) => status));
    },
  };
}

/** Bytes of all files in a folder. */
function bytesIn(folder: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    try {
      bytes += isDirectory ? bytesIn(`${folder}/${name}`) : Deno.statSync(`${folder}/${name}`).size;
    } catch {
      // Gone in between.
    }
  }
  return bytes;
}
