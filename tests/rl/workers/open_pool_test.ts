/** A session with workers: results on their way are not lost, what workers cannot do is told with the reason, jobs that end workers end few. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstream } from "@nats-io/jetstream";
import { UserError } from "../../../gpu/errors.ts";
import { answerFor } from "../../../rl/workers/answer_for.ts";
import { connectNats } from "../../../rl/workers/connect_nats.ts";
import type { Job } from "../../../rl/workers/job.ts";
import { openPool } from "../../../rl/workers/open_pool.ts";
import { JOBS, jobSubject, newId, openStreams, WORKERS } from "../../../rl/workers/streams.ts";
import { takeJobs } from "../../../rl/workers/take_jobs.ts";
import type { GivenJob, WorkerPool } from "../../../rl/workers/worker_pool.ts";
import { testFolder } from "../../support/folders.ts";
import { until } from "../../support/until.ts";
import { sendResult, takeJob } from "../../workers/support/liar.ts";
import { startNats, testWithNats } from "../../workers/support/nats_server.ts";

const folder = await testFolder();
const HASH = "0".repeat(64);

const poolOf = (url: string, said: string[] = []) =>
  openPool({
    ...{ nats: { url }, version: "test", serveAt: { host: "127.0.0.1", port: 0 }, own: false },
    say: (line) => said.push(line),
  });

/** A job that nobody can make anything of, and what became of it. */
function jobFor({ session }: WorkerPool, take: GivenJob["take"] = () => Promise.resolve()) {
  const ids: number[] = [];
  const job: Job = {
    update: 0,
    ...{ version: "test", session, id: newId(), url: "http://127.0.0.1:1", answerTau: 1, seed: 1, step: 1 },
    parcel: { name: "parcel.json", bytes: 1, sha256: HASH },
    thinking: { way: "hard", options: { greedy: false, gamma: 0, embeddingRms: 1 } },
    rules: {
      maxThinking: 1,
      maxAnswer: 1,
      endTokenIds: ids,
      forcedIds: { box: ids, boxAfterSpace: ids, triggerAndBox: ids },
    },
    prompts: [{ prompt: [1], rolloutIds: [0] }],
    rows: 0,
  };
  const fate = { refused: [] as (boolean | undefined)[], stopped: undefined as unknown };
  const given: GivenJob = {
    ...{ job, most: 1000, take },
    refused: (isBroken) => fate.refused.push(isBroken),
    stop: (reason) => fate.stopped = reason,
  };
  return { given, fate };
}

testWithNats(
  "a job whose result is not read yet is under way; one without a result, or with half of one, is not",
  async () => {
    await using nats = await startNats();
    await using pool = await poolOf(nats.url);
    const connection = await connectNats({ url: nats.url }, "test");
    const bytes = new Uint8Array(8);
    const free = Promise.withResolvers<void>();
    // As many as are looked through side by side.
    const busy = Array.from({ length: 8 }, () => jobFor(pool, () => free.promise).given);
    let isTaken = false;
    const late = jobFor(pool, () => Promise.resolve(void (isTaken = true))).given;
    for (const given of [...busy, late]) pool.give(given);
    await pool.flush();
    for (const _ of [...busy, late]) {
      const { message, job } = await takeJob(connection);
      await sendResult(connection, job, "worker", bytes);
      await message.ackAck();
    }
    assert(await pool.isUnderWay(late));
    assert(!isTaken);
    free.resolve();
    await until(() => isTaken, "it is taken");
    await until(async () => !await pool.isUnderWay(late), "nothing more can come");

    const half = jobFor(pool).given;
    pool.give(half);
    await pool.flush();
    const { message, job } = await takeJob(connection);
    await sendResult(connection, job, "worker", bytes, 20);
    assert(await pool.isUnderWay(half));
    await message.ackAck();
    await until(async () => !await pool.isUnderWay(half), "nothing more can come");
    await connection.close();
  },
);

testWithNats(
  "a session that ends takes its own jobs along, and leaves those of others to workers",
  async () => {
    await using nats = await startNats();
    await using pool = await poolOf(nats.url);
    const own = [jobFor(pool).given, jobFor(pool).given];
    {
      await using other = await poolOf(nats.url);
      other.give(jobFor(other).given);
      pool.give(own[0]);
      await Promise.all([pool.flush(), other.flush()]);
    }
    pool.give(own[1]);
    const connection = await connectNats({ url: nats.url }, "test");
    for (const given of own) {
      const { message, job } = await takeJob(connection);
      assertEquals(job.id, given.job.id);
      await message.ackAck();
    }
    await connection.close();
  },
);

testWithNats("a job that is withdrawn before the server has it does not stay there", async () => {
  await using nats = await startNats();
  await using pool = await poolOf(nats.url);
  const connection = await connectNats({ url: nats.url }, "test");
  const manager = await openStreams(connection);
  const left = async () => (await manager.streams.info(JOBS)).state;
  for (let times = 1; times <= 3; times++) {
    const { given } = jobFor(pool);
    pool.give(given);
    pool.withdraw(given);
    await until(async () => (await left()).last_seq === times, "it came");
  }
  await until(async () => (await left()).messages === 0, "they are taken out");
  await connection.close();
});

testWithNats("a worker that was killed at a job is there no more, one that is at it is", async () => {
  await using nats = await startNats();
  await using pool = await poolOf(nats.url);
  pool.give(jobFor(pool).given);
  const connection = await connectNats({ url: nats.url }, "test");
  answerFor(connection, WORKERS);
  await takeJob(connection);
  await until(async () => (await pool.there())?.atWork === 1, "it is at work");
  // Without a word, as a connection ends whose process is gone.
  await connection.close();
  await until(async () => (await pool.there())?.atWork === 0, "it is gone");
});

/** A worker that makes nothing but an error. */
const failing = (url: string, name: string, error: Error, signal: AbortSignal) =>
  takeJobs({
    ...{ nats: { url }, name, version: "test", signal, say() {}, ready() {}, done() {} },
  }, () => Promise.reject(error));

testWithNats(
  "what a worker cannot do is told where the job came from, and given up after five tries",
  async () => {
    await using nats = await startNats();
    const said: string[] = [];
    await using pool = await poolOf(nats.url, said);
    const { given, fate } = jobFor(pool);
    pool.give(given);
    const controller = new AbortController();
    const error = new UserError("Cannot fetch the weights: nobody is there", "is --serve-weights right?");
    const working = failing(nats.url, "far", error, controller.signal);
    await until(() => fate.refused.length > 0, "it is given up");
    controller.abort();
    await working;
    assertEquals(fate.refused, [false]);
    assert(!await pool.isUnderWay(given));
    assertEquals(said, [
      "failed   worker far could not do a job: Cannot fetch the weights: nobody is there (is --serve-weights right?)",
    ]);
    assertEquals(pool.takeSpent().map(({ name, failed }) => [name, failed]), [["far", 5]]);
  },
);

testWithNats(
  "a job that ends workers ends three, one that they leave without a word is not tried a sixth time",
  async () => {
    await using nats = await startNats();
    const said: string[] = [];
    await using pool = await poolOf(nats.url, said);
    const signal = new AbortController().signal;
    const poison = jobFor(pool);
    pool.give(poison.given);
    for (const name of ["first", "second", "third"]) {
      await assertRejects(() => failing(nats.url, name, new RangeError("out of range"), signal), RangeError);
    }
    await until(() => poison.fate.refused.length > 0, "it is given up");
    assertEquals(poison.fate.refused, [true]);
    assertEquals(said, [
      "failed   worker first could not do a job: out of range",
      "failed   a job at which workers end goes to no more of them: this device makes it",
    ]);
    assertEquals(pool.takeSpent().map(({ name, failed }) => [name, failed]), [
      ["first", 1],
      ["second", 1],
      ["third", 1],
    ]);

    const left = jobFor(pool);
    pool.give(left.given);
    const connection = await connectNats({ url: nats.url }, "test");
    for (let times = 0; times < 5; times++) (await takeJob(connection)).message.nak();
    await connection.drain();
    const controller = new AbortController();
    let made = 0;
    const working = takeJobs({
      ...{ nats: { url: nats.url }, name: "sixth", version: "test", signal: controller.signal },
      ...{ say() {}, ready() {}, done() {} },
    }, () => Promise.reject(new Error(`made ${++made}`)));
    await until(() => left.fate.refused.length > 0, "it is given up");
    controller.abort();
    await working;
    assertEquals([left.fate.refused, made], [[true], 0]);
    assertStringIncludes(said.at(-1)!, "5 workers before had it and ended, or left it");
  },
);

testWithNats(
  "jobs of another version end a worker where who gave them is there, and are taken out where it is gone",
  async () => {
    await using nats = await startNats();
    const connection = await connectNats({ url: nats.url }, "test");
    const manager = await openStreams(connection);
    // As a process leaves them that was killed.
    const gone = jobFor({ session: newId() } as WorkerPool).given.job;
    for (const version of ["0.1", "test"]) {
      await jetstream(connection).publish(
        jobSubject(gone.session),
        JSON.stringify({ ...gone, version, id: newId() }),
      );
    }
    const said: string[] = [];
    const controller = new AbortController();
    const none = new UserError("Cannot fetch the weights: nobody is there");
    const options = { nats: { url: nats.url }, name: "fresh", ready() {}, done() {} };
    const say = (line: string) => said.push(line);
    const working = takeJobs(
      { ...options, version: "test", signal: controller.signal, say },
      () => Promise.reject(none),
    );
    await until(async () => (await manager.streams.info(JOBS)).state.messages === 0, "both are taken out");
    controller.abort();
    await working;
    assertEquals(said, [
      "took out a job of a process that is gone: Cannot work for this training or evaluation: it is softcot 0.1, this worker is test",
      "took out a job of a process that is gone: Cannot fetch the weights: nobody is there",
    ]);

    const told: string[] = [];
    await using pool = await poolOf(nats.url, told);
    const { given } = jobFor(pool);
    pool.give(given);
    const other = { ...options, version: "0.2", signal: new AbortController().signal, say };
    const refused = await assertRejects(
      () => takeJobs(other, () => Promise.reject(new Error("made"))),
      UserError,
      "it is softcot test, this worker is 0.2",
    );
    await until(() => told.length > 0, "it is told");
    assertStringIncludes(told[0], `failed   worker fresh could not do a job: ${refused.message}`);
    assert(await pool.isUnderWay(given));
    await connection.close();
  },
);

testWithNats(
  "a server that does not allow jobs, or what workers send, ends with what is to be allowed",
  async () => {
    const config = `${folder}/users.conf`;
    const user = (name: string, denied: string) =>
      `{ user: "${name}", password: "x", permissions: { publish: { deny: ["${denied}"] } } }`;
    Deno.writeTextFileSync(
      config,
      `authorization { users: [ { user: "all", password: "x" }, ${user("giver", "softcot-jobs.>")}, ${
        user("reader", "$JS.API.CONSUMER.CREATE.softcot-results.>")
      }, ${user("worker", "softcot-results.>")} ] }`,
    );
    await using nats = await startNats(["-c", config]);
    const as = (name: string) => nats.url.replace("//", `//${name}:x@`);
    for (const [name, what] of [["giver", "give a job to workers"], ["reader", "read what workers send"]]) {
      await using pool = await poolOf(as(name));
      const { given, fate } = jobFor(pool);
      pool.give(given);
      await until(() => fate.stopped !== undefined, "it is told");
      assert(fate.stopped instanceof UserError);
      assertStringIncludes(fate.stopped.message, `Cannot ${what}: the NATS server does not allow it`);
      const later = jobFor(pool);
      pool.give(later.given);
      await until(() => later.fate.stopped !== undefined, "it is told of the next one");
    }
    await using pool = await poolOf(as("all"));
    pool.give(jobFor(pool).given);
    const refused = await assertRejects(() =>
      takeJobs(
        {
          ...{ nats: { url: as("worker") }, name: "mute", version: "test", say() {}, ready() {}, done() {} },
          signal: new AbortController().signal,
        },
        () => Promise.resolve({ bytes: new Uint8Array(8), rollouts: 1, fetched: 0 }),
      ), UserError);
    assertStringIncludes(refused.message, "Cannot send a result: the NATS server does not allow it");
  },
);
