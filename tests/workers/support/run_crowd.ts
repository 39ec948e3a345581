import type { GenerationJob, Rollout } from "../../../model/generation/rollout.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { wayOfThinking } from "../../../model/thinking/ways.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { pause } from "../../../gpu/pause.ts";
import type { Job } from "../../../rl/workers/job.ts";
import { makeRollouts } from "../../../rl/workers/make_rollouts.ts";
import { openPool } from "../../../rl/workers/open_pool.ts";
import { lookAtNats } from "../../../rl/workers/look_at_nats.ts";
import { kindOf } from "../../../rl/workers/result.ts";
import { shareJobs } from "../../../rl/workers/share_jobs.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { tokenizer } from "../../model/support/small_models.ts";
import { tinyModel } from "../../rl/support/tiny_model.ts";
import { memoryOf } from "../../support/memory_of.ts";
import { type KnownRollouts, writeRollouts } from "./known_rollouts.ts";
import { startNats } from "./nats_server.ts";
import { PRETENDED } from "./pretend_workers.ts";

/** How large a crowd is, and how much it does. */
export interface CrowdSize {
  workers: number;
  /** That they share. */
  processes: number;
  jobs: number;
  /** Jobs that are wanted at once: an update's. */
  perUpdate: number;
}

/** What there was when so many jobs were done. Memory in MiB, the store in bytes. */
export interface CrowdSample {
  jobs: number;
  seconds: number;
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
  /** Rollouts that are not those that one device makes, or came more than once. */
  wrong: number;
  /** What the trainer said, and the workers. */
  said: string[];
  /** Jobs and results that are left at the server. */
  left: number;
  /** Peak memory of one process of workers, MiB. */
  crowdPeak: number;
}

const SAMPLES = 100;

/**
 * Gives jobs of one soft rollout each to workers that compute nothing, over a NATS server, as a training does: this process is the trainer, with
 * a small model that takes each result's rollout once more.
 */
export async function runCrowd(
  size: CrowdSize,
  tell: (sample: CrowdSample) => void = () => {},
): Promise<CrowdFigures> {
  const folder = Deno.makeTempDirSync({ prefix: "softcot-crowd-" });
  const { gpu } = await openTestGpu();
  const model = tinyModel(gpu);
  const jobs: GenerationJob[] = Array.from({ length: Math.ceil(size.perUpdate / 8) }, (_, q) => ({
    prompt: Array.from({ length: 12 }, (_, i) => 1 + (7 * q + i) % 40),
    rolloutIds: Array.from({ length: Math.min(8, size.perUpdate - 8 * q) }, (_, g) => 8 * q + g),
  }));
  const options = { greedy: false, gamma: 0.33, embeddingRms: 0.1 };
  const rules = thinkingRules(tokenizer, {
    maxThinking: 10,
    maxAnswer: 4,
    endTokenIds: model.config.eosTokenIds,
  });
  const settings = {
    ...{ thinking: wayOfThinking("soft", options), rules, answerTau: 1, seed: 1, step: 1, atOnce: 1 },
  };
  const known: KnownRollouts = { device: kindOf(gpu), rollouts: [] };
  {
    const { rollouts, rows } = await makeRollouts(
      {
        ...{
          thinking: { way: "soft", options },
          rules,
          answerTau: 1,
          seed: 1,
          step: 1,
          rows: size.perUpdate,
        },
        prompts: jobs,
      } as unknown as Job,
      { model, tokenizer, weights: "" },
      new AbortController().signal,
    );
    rollouts.forEach((made, i) =>
      known.rollouts.push({ ...made, rows: rows[i] as Float32Array<ArrayBuffer> })
    );
  }
  writeRollouts(`${folder}/rollouts.json`, known);
  await using nats = await startNats();
  const said: string[] = [];
  await using crowd = startCrowd(size, nats.url, `${folder}/rollouts.json`, said);
  const samples: CrowdSample[] = [];
  const byWorker = new Map<string, number>();
  let wrong = 0;
  {
    await using pool = await openPool({
      ...{ nats: { url: nats.url }, version: PRETENDED, own: false },
      ...{ serveAt: { host: "127.0.0.1", port: 0 }, say: (line: string) => said.push(line) },
    });
    const parcel = pool.files.addText("none fetches it", "parcel.json");
    while (((await pool.there())?.waiting ?? 0) < size.workers) await pause(50);
    const run = shareJobs(pool, { parcel });
    const began = performance.now();
    let done = 0;
    const sample = () => {
      const { resident: trainer } = memoryOf(Deno.pid)!;
      const now = {
        ...{ jobs: done, seconds: (performance.now() - began) / 1000, trainer },
        heap: Deno.memoryUsage().heapUsed / 2 ** 20,
        ...{ nats: memoryOf(nats.pid())!.resident, store: bytesIn(nats.store) },
      };
      samples.push(now);
      tell(now);
    };
    const isRight = ({ index, thinking, answer, thinkingStats }: Rollout) => {
      const { rollout } = known.rollouts[index];
      return `${[thinking, answer, thinkingStats.logp]}` ===
        `${[rollout.thinking, rollout.answer, rollout.thinkingStats.logp]}`;
    };
    while (done < size.jobs) {
      const came = new Set<number>();
      await run(model, tokenizer, jobs, settings, {
        onRollout(rollout) {
          if (came.has(rollout.index) || !isRight(rollout)) wrong++;
          came.add(rollout.index);
          if (++done % Math.ceil(size.jobs / SAMPLES) === 0) sample();
        },
      });
      wrong += size.perUpdate - came.size;
      for (const { name, rollouts } of pool.takeSpent()) {
        byWorker.set(name, (byWorker.get(name) ?? 0) + rollouts);
      }
    }
  }
  const { jobs_waiting, jobs_at_work, results_waiting } = await lookAtNats({ url: nats.url });
  const crowdPeak = crowd.peak();
  freeModel(model);
  Deno.removeSync(folder, { recursive: true });
  return {
    ...{ samples, byWorker, wrong, said, crowdPeak },
    left: jobs_waiting! + jobs_at_work! + results_waiting!,
  };
}

/** Processes of workers, for the length of a scope. */
function startCrowd(
  { workers, processes }: CrowdSize,
  url: string,
  list: string,
  said: string[],
): AsyncDisposable & { peak(): number } {
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
