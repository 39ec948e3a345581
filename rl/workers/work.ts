import { jetstream, type JsMsg } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { pause } from "../../gpu/pause.ts";
import { firstIssue } from "../../model/files/first_issue.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import { generateJobs } from "../../model/generation/generate_jobs.ts";
import { roomForFed } from "../../model/generation/generate.ts";
import type { Rollout } from "../../model/generation/rollout.ts";
import { type AnyWay, wayOfThinking, type WayOptions } from "../../model/thinking/ways.ts";
import { connectNats, type NatsPlace, shownPlace } from "./connect_nats.ts";
import { type Job, jobSchema } from "./job.ts";
import { HEADERS } from "./receive_results.ts";
import { encodeResult, kindOf } from "./result.ts";
import { ACK_WAIT, JOBS, messageRoom, newId, openStreams, resultSubject, WORKERS } from "./streams.ts";
import { workerFiles } from "./worker_files.ts";
import { type ReadyModel, workerModel } from "./worker_model.ts";

/** How a worker works. */
export interface WorkOptions {
  nats: NatsPlace;
  /** What it calls itself. */
  name: string;
  /** Of softcot: for jobs of another it does nothing. */
  version: string;
  /** Folder for what it fetches. */
  place: string;
  openDevice: () => Promise<Gpu>;
  /** Aborted to end it: the job in hand goes back into the queue. */
  signal: AbortSignal;
  say(line: string): void;
  /** Told when it waits for its first job. */
  ready(): void;
  /** Told after each job. */
  done(job: DoneJob): void;
}

/** What a job came to. */
export interface DoneJob {
  rollouts: number;
  seconds: number;
  /** Bytes of the result, and of what was fetched for it. */
  bytes: number;
  fetched: number;
}

/** Milliseconds that a request for a job waits at the server. */
const PATIENCE = 5000;
/** Times that a job is tried whose files cannot be fetched. */
const MOST_TRIES = 5;

/**
 * Takes jobs from the queue, one at a time, makes their rollouts and sends them, until the signal is aborted. A job is acknowledged when the
 * server has its result.
 * @throws UserError if there is no such server, or the jobs are another version's
 */
export async function work(options: WorkOptions): Promise<void> {
  const { nats, name, place, openDevice, signal, say } = options;
  const connection = await connectNats(nats, `softcot worker ${name}`);
  try {
    await openStreams(connection);
    const files = workerFiles(place, say, signal);
    using model = workerModel(openDevice, files);
    watchConnection(connection, shownPlace(nats), say);
    options.ready();
    let began = performance.now();
    while (!signal.aborted) {
      const message = await nextMessage(connection, signal);
      if (!message) continue;
      const waited = (performance.now() - began) / 1000;
      const before = files.fetched;
      const done = await takeJob(connection, message, options, async (job) => {
        const ready = await model.ready(job);
        return { ...ready, waited, fetched: files.fetched - before };
      });
      if (done) options.done(done);
      began = performance.now();
    }
  } finally {
    await Promise.race([connection.drain(), pause(1000)]);
  }
}

async function watchConnection(
  connection: NatsConnection,
  place: string,
  say: (line: string) => void,
): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === "disconnect") say(`the connection to ${place} broke: waiting for the server`);
    if (type !== "reconnect") continue;
    say(`${place} is there again`);
    await openStreams(connection).catch((error) => say(`warning: ${(error as Error).message}`));
  }
}

/** The next job; none where none came for a while, or the server is away. */
async function nextMessage(connection: NatsConnection, signal: AbortSignal): Promise<JsMsg | null> {
  const stopped = Promise.withResolvers<null>();
  const stop = () => stopped.resolve(null);
  signal.addEventListener("abort", stop, { once: true });
  const next = async () => {
    try {
      const consumer = await jetstream(connection).consumers.get(JOBS, WORKERS);
      return await consumer.next({ expires: PATIENCE });
    } catch {
      await pause(500);
      return null;
    }
  };
  const found = next();
  // One that comes when nobody waits any more goes back.
  found.then((message) => signal.aborted && message?.nak());
  const message = await Promise.race([found, stopped.promise]);
  signal.removeEventListener("abort", stop);
  return signal.aborted ? null : message;
}

/** @returns undefined where the job went back, or nowhere */
async function takeJob(
  connection: NatsConnection,
  message: JsMsg,
  { name, version, signal, say }: WorkOptions,
  ready: (job: Job) => Promise<ReadyModel & { waited: number; fetched: number }>,
): Promise<DoneJob | undefined> {
  const alive = setInterval(() => message.working(), ACK_WAIT / 4);
  try {
    const job = jobOf(message, version);
    const began = performance.now();
    const model = await ready(job);
    message.working();
    const made = await makeRollouts(job, model, signal);
    const seconds = (performance.now() - began) / 1000;
    const { model: { gpu }, weights, waited, fetched } = model;
    const head = { job: job.id, version, weights, device: kindOf(gpu), seconds, waited, fetched };
    const bytes = encodeResult(head, made.rollouts, made.rows);
    await send(connection, job, name, bytes, signal);
    await message.ackAck().catch(() => {}); // given again, it is done again, and changes nothing
    return { rollouts: made.rollouts.length, seconds, bytes: bytes.length, fetched };
  } catch (error) {
    if (signal.aborted) return void message.nak();
    if (error instanceof OtherVersion) {
      message.nak(1000);
      throw error;
    }
    if (!(error instanceof UserError)) {
      message.nak();
      throw error;
    }
    say(error.message);
    if (message.info.deliveryCount >= MOST_TRIES) message.term();
    else message.nak(1000);
  } finally {
    clearInterval(alive);
  }
}

/** A job that this softcot would not make as it is meant. */
class OtherVersion extends UserError {}

function jobOf(message: JsMsg, own: string): Job {
  let data: unknown;
  try {
    data = parseJson(message.string());
  } catch {
    data = undefined;
  }
  const version = (data as { version?: unknown } | undefined)?.version;
  if (typeof version === "string" && version !== own) {
    throw new OtherVersion(
      `Cannot work for this training or evaluation: it is softcot ${
        version.slice(0, 60)
      }, this worker is ${own}`,
      "start workers of the version that gives the jobs",
    );
  }
  const read = jobSchema.safeParse(data);
  if (read.success) return read.data;
  throw new UserError(`Cannot do a job: it is none: ${firstIssue(read.error)}`);
}

interface MadeRollouts {
  rollouts: { rollout: Rollout; seconds: number }[];
  rows: Float32Array[];
}

/** The rollouts of a job, and the rows that their thinking fed. */
async function makeRollouts(
  job: Job,
  { model, tokenizer }: ReadyModel,
  signal: AbortSignal,
): Promise<MadeRollouts> {
  const { prompts, rules, answerTau, seed, step, atOnce, rows: wanted } = job;
  const { gpu, config } = model;
  using scratch = gpu.arena.scratch();
  const thinking = wayOfThinking(job.thinking.way as AnyWay, job.thinking.options as WayOptions);
  const hidden = wanted > 0 && thinking.continuous
    ? roomForFed(model, { thinking, rules }, wanted, scratch)
    : undefined;
  const rollouts: MadeRollouts["rollouts"] = [];
  await generateJobs(model, tokenizer, prompts, { thinking, rules, answerTau, seed, step, atOnce, signal }, {
    hidden,
    onRollout: (rollout, seconds) => void (rollouts[rollout.index] = { rollout, seconds }),
  });
  const steps = hidden?.shape[1] ?? 0;
  const reads = rollouts.slice(0, hidden ? wanted : 0).map(({ rollout }, i) => {
    const count = rollout.thinking.length * config.hiddenSize;
    if (count === 0) return () => Promise.resolve(new ArrayBuffer(0));
    return gpu.reader.startPieces([{ tensor: hidden!, from: i * steps * config.hiddenSize, count }]);
  });
  const rows: Float32Array[] = [];
  for (const read of reads) rows.push(new Float32Array(await read()));
  return { rollouts, rows };
}

/** Sends a result, in pieces that the server takes; waits where it is away or full. */
async function send(
  connection: NatsConnection,
  { session, id }: Job,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  const result = newId();
  const most = messageRoom(connection);
  for (let piece = 0; piece * most < bytes.length; piece++) {
    const told = headers();
    told.set(HEADERS.worker, name);
    told.set(HEADERS.piece, `${piece}`);
    told.set(HEADERS.bytes, `${bytes.length}`);
    for (;;) {
      signal.throwIfAborted();
      try {
        await jetstream(connection).publish(
          resultSubject(session, id, result),
          bytes.subarray(piece * most, (piece + 1) * most),
          { headers: told, msgID: `${result}-${piece}`, timeout: 5000 },
        );
        break;
      } catch {
        await pause(500);
      }
    }
  }
}
