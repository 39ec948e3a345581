/** Updates whose rollouts workers make are those of one process, to the bit, whatever trains; those of another kind of device are told apart. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import type { GpuOptions } from "../../../gpu/device/open_gpu.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { type Way, wayOfThinking } from "../../../model/thinking/ways.ts";
import { addAdapter } from "../../../model/transformer/adapter.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { createHalfCopy } from "../../../model/weights/half_copy.ts";
import { createBehind, madeAfter, modelAfter } from "../../../rl/behind.ts";
import { actorOf } from "../../../rl/trainer.ts";
import type { StepMetrics } from "../../../rl/step_metrics.ts";
import { trainStep } from "../../../rl/train_step.ts";
import { serveModel } from "../../../rl/workers/parcel.ts";
import { serveFiles } from "../../../rl/workers/serve_files.ts";
import { shareJobs } from "../../../rl/workers/share_jobs.ts";
import { trainedWeights } from "../../../rl/workers/trained_weights.ts";
import { work } from "../../../rl/workers/work.ts";
import { openPool } from "../../../rl/workers/open_pool.ts";
import type { WorkerPool } from "../../../rl/workers/worker_pool.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { tokenizer } from "../../model/support/small_models.ts";
import { testFolder } from "../../support/folders.ts";
import { madeUp, sendResult, takeJob } from "../../workers/support/liar.ts";
import { connectNats } from "../../../rl/workers/connect_nats.ts";
import { startNats, testWithNats } from "../../workers/support/nats_server.ts";
import { freeTrainer, SMALL_TRAINING, smallTrainer } from "../support/small_trainer.ts";
import { tinyModel } from "../support/tiny_model.ts";

const { gpu } = await openTestGpu();
const folder = await testFolder();
const SETTINGS = { ...SMALL_TRAINING, questions: 4, refill: 1 };
/** More where rollouts are older: until they are as old as they may be. */
const stepsOf = ({ staleness = 0 }: Kind) => 2 + staleness;

/** What trains, and how it thinks. */
interface Kind {
  way: Way;
  lora?: boolean;
  half?: boolean;
  /** Updates that its rollouts may be old. */
  staleness?: number;
}

const KINDS: readonly Kind[] = [
  { way: "soft" },
  { way: "hard", lora: true },
  { way: "fuzzy", half: true },
  { way: "soft", staleness: 2 },
  { way: "hard", lora: true, staleness: 1 },
  { way: "soft", half: true, staleness: 1 },
];

{
  const model = tinyModel(gpu);
  await saveModel({ model, tokenizer, source: "" }, `${folder}/model`, "F32", { embeddingRms: 0.1 });
  freeModel(model);
}

/** The lines of some updates, the first of which has that number; by workers where there is a pool. */
async function train(kind: Kind, pool?: WorkerPool, first = 1): Promise<StepMetrics[]> {
  const { way, lora, half, staleness = 0 } = kind;
  const { model } = await findModel(gpu, `${folder}/model`);
  if (lora) addAdapter(model, { rank: 4, alpha: 8 }, 1);
  const behind = createBehind(model, staleness);
  if (behind) behind.done = first - 1;
  const copy = half ? createHalfCopy(actorOf({ model, behind })) : undefined;
  const thinking = wayOfThinking(way, { greedy: false, gamma: 0.33, embeddingRms: 0.1 });
  const place = `${folder}/${crypto.randomUUID()}`;
  const modelOf = (update: number) => behind ? modelAfter(model, behind, update) : model;
  using trained = pool && trainedWeights(pool.files, modelOf, place, staleness);
  using shared = pool && shareJobs(pool, {
    parcel: serveModel(pool.files, {
      ...{ name: `${folder}/model`, training: model, weights: "f32", half: half ?? false },
    }),
    trained: (step) => trained!.after(madeAfter(staleness, step)),
  });
  const trainer = smallTrainer(model, thinking, { ...SETTINGS, staleness }, copy, shared, behind);
  const lines: StepMetrics[] = [];
  for (let step = first; step < first + stepsOf(kind); step++) {
    const { metrics } = await trainStep({ ...trainer, workers: pool }, step);
    lines.push(metrics);
  }
  freeTrainer(trainer);
  freeModel(model);
  return lines;
}

const timeless = (lines: readonly StepMetrics[]) => lines.map(({ time: _, ...rest }) => rest);

/** A worker in this process, for the length of a scope. */
function startHere(
  url: string,
  name: string,
  options: GpuOptions = {},
): AsyncDisposable & { said: string[] } {
  const controller = new AbortController();
  const said: string[] = [];
  const working = work({
    ...{ nats: { url }, name, version: "test", place: `${folder}/worker`, signal: controller.signal },
    openDevice: () => openGpu(options),
    say: (line) => said.push(line),
    ready() {},
    done() {},
  });
  return {
    said,
    async [Symbol.asyncDispose]() {
      controller.abort();
      await working;
    },
  };
}

/** Waits until so many workers wait for jobs. */
async function untilThere(pool: WorkerPool, count: number): Promise<void> {
  while (((await pool.there())?.waiting ?? 0) < count) await new Promise((done) => setTimeout(done, 20));
}

const poolOf = (url: string, said: string[] = []) =>
  openPool({
    ...{ nats: { url }, version: "test", serveAt: { host: "127.0.0.1", port: 0 }, own: false },
    say: (line) => said.push(line),
  });

const namesIn = (lines: readonly StepMetrics[]) =>
  [...new Set(lines.flatMap(({ time }) => time.workers!.map(({ name }) => name)))].sort();

testWithNats("updates by two workers are those of one process, to the bit, whatever trains", async () => {
  await using nats = await startNats();
  await using _first = startHere(nats.url, "first");
  await using _second = startHere(nats.url, "second");
  for (const kind of KINDS) {
    const expected = await train(kind);
    assert(expected.every(({ gradient_norm }) => gradient_norm > 0));
    await using pool = await poolOf(nats.url);
    await untilThere(pool, 2);
    const lines = await train(kind, pool);
    assertEquals(timeless(lines), timeless(expected), JSON.stringify(kind));
    assertEquals(namesIn(lines), ["first", "second"]);
    const ages = lines.map((
      { rollout_age },
      i,
    ) => [rollout_age, kind.staleness && Math.min(kind.staleness, i)]);
    for (const [age, expected] of ages) assertEquals(age, expected);
    const made = lines.map(({ time }) => time.workers!.reduce((sum, { rollouts }) => sum + rollouts, 0));
    const drawn = lines.map(({ refilled }) => (SETTINGS.questions + refilled!) * SETTINGS.group);
    assertEquals(made, drawn);
  }
});

testWithNats("a device of another kind is told by its name, with what its rollouts differ by", async () => {
  await using nats = await startNats();
  await using _ = startHere(nats.url, "tiles", { matmulFamily: "tile" });
  const said: string[] = [];
  await using pool = await poolOf(nats.url, said);
  await untilThere(pool, 1);
  const kind = { way: "soft" } as const;
  const [line] = await train(kind, pool);
  const [name, ...more] = Object.keys(line.other_devices!);
  assert(name.includes("(tile, subgroups of ") && more.length === 0, name);
  const { rollouts, mismatch_answer_max: most } = line.other_devices![name];
  assert(rollouts > 0 && most > 0 && most < 1e-4, `${rollouts} rollouts, off by ${most}`);
  assertEquals([namesIn([line]), said.filter((line) => line.startsWith("refused"))], [["tiles"], []]);
  const [alone] = await train(kind);
  assertEquals(alone.other_devices, undefined);
  assert(Math.abs(alone.thinking_entropy - line.thinking_entropy) < 1e-3);
});

testWithNats(
  "a server that forgets all, and a worker that only says it is done, lose nothing; one of another version ends",
  async () => {
    await using nats = await startNats();
    const kind = { way: "soft" } as const;
    const expected = await train(kind);
    const said: string[] = [];
    await using pool = await poolOf(nats.url, said);
    const training = train(kind, pool);
    // Its jobs are out, and nobody is there.
    while (!said.some((line) => line.includes("no worker is there"))) {
      await new Promise((done) => setTimeout(done, 50));
    }
    await nats.restart({ forgets: true });
    const other = work({
      ...{ nats: { url: nats.url }, name: "other", version: "another", place: `${folder}/other` },
      ...{
        signal: new AbortController().signal,
        openDevice: () => openGpu(),
        say() {},
        ready() {},
        done() {},
      },
    }).then(() => "", (error: Error) => error.message);
    assertEquals(
      await other,
      "Cannot work for this training or evaluation: it is softcot test, this worker is another",
    );
    // It says that it is done, and brings nothing.
    const connection = await connectNats({ url: nats.url }, "test");
    (await takeJob(connection)).message.ack();
    await connection.drain();
    await using _ = startHere(nats.url, "third");
    assertEquals(timeless(await training), timeless(expected));
  },
);

testWithNats(
  "rows of all rollouts are asked for where nobody keeps them: any may be the one that is looked at",
  async () => {
    await using nats = await startNats();
    await using pool = await poolOf(nats.url);
    const { model } = await findModel(gpu, `${folder}/model`);
    const parcel = serveModel(pool.files, { name: `${folder}/model`, weights: "f32", half: false });
    const connection = await connectNats({ url: nats.url }, "test");
    // Those that 64 MiB hold, of 24 numbers a thought.
    for (const [maxThinking, count, rows] of [[4, 5, 5], [2 ** 17, 9, 5], [2 ** 18, 9, 2]]) {
      const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer: 2, endTokenIds: [] });
      const thinking = wayOfThinking("soft", { greedy: false, gamma: 0.3, embeddingRms: 0.1 });
      const stop = new AbortController();
      const settings = { thinking, rules, answerTau: 0, seed: 1, step: 2 ** 32 - 1, signal: stop.signal };
      using shared = shareJobs(pool, { parcel });
      const rolloutIds = Array.from({ length: count }, (_, id) => id);
      const running = shared.run(model, tokenizer, [{ prompt: [1, 2], rolloutIds }], settings, {
        onRollout() {},
      });
      const { message, job } = await takeJob(connection);
      assertEquals(job.rows, rows);
      message.ack();
      stop.abort();
      await assertRejects(() => running);
    }
    await connection.close();
    freeModel(model);
  },
);

testWithNats("what fails while a result is taken ends whoever waits for it", async () => {
  await using nats = await startNats();
  await using _ = startHere(nats.url, "first");
  await using pool = await poolOf(nats.url);
  await untilThere(pool, 1);
  const { model } = await findModel(gpu, `${folder}/model`);
  const parcel = serveModel(pool.files, { name: `${folder}/model`, weights: "f32", half: false });
  const rules = thinkingRules(tokenizer, { maxThinking: 4, maxAnswer: 2, endTokenIds: [] });
  const thinking = wayOfThinking("hard", { greedy: false, gamma: 0, embeddingRms: 0.1 });
  const settings = { thinking, rules, answerTau: 1, seed: 1, step: 1 };
  using shared = shareJobs(pool, { parcel });
  const onRollout = () => {
    throw new Error("no room for it");
  };
  await assertRejects(
    () => shared.run(model, tokenizer, [{ prompt: [1, 2], rolloutIds: [0, 1] }], settings, { onRollout }),
    Error,
    "no room for it",
  );
  freeModel(model);
});

Deno.test("a model's file with a name that workers would refuse is refused where it is given", async () => {
  using server = await serveFiles({ host: "127.0.0.1", port: 0 });
  for (const name of ["my vocabulary.txt", "vérité.json"]) {
    const file = `${folder}/model/${name}`;
    Deno.writeTextFileSync(file, "");
    assertThrows(
      () => serveModel(server, { name: `${folder}/model`, weights: "f32", half: false }),
      UserError,
      `Cannot give ${file} to workers: its name has other characters`,
    );
    Deno.removeSync(file);
  }
});

testWithNats(
  "the next update's jobs are out before it is wanted; what older weights made is refused by name and counted, and made anew",
  async () => {
    await using nats = await startNats();
    const kind = { way: "hard", staleness: 1 } as const;
    const expected = await train(kind, undefined, 6);
    const said: string[] = [];
    await using pool = await poolOf(nats.url, said);
    const training = train(kind, pool, 6);
    const connection = await connectNats({ url: nats.url }, "test");
    const taken = [await takeJob(connection), await takeJob(connection)];
    taken.sort((a, b) => a.job.step - b.job.step);
    assertEquals(taken.map(({ job: { step, update } }) => [step, update]), [[6, 4], [7, 5]]);
    await sendResult(connection, taken[0].job, "late", madeUp(taken[0].job, { update: 3 }));
    for (const { message } of taken) message.nak();
    await connection.drain();
    await using _ = startHere(nats.url, "third");
    const lines = await training;
    assertEquals(timeless(lines), timeless(expected));
    assertEquals(said.filter((line) => line.startsWith("refused")), [
      "refused  a result of worker late: it was made with the weights after update 3, those after update 4 are needed",
    ]);
    const { refused, outdated } = lines[0].time.workers!.find(({ name }) => name === "late")!;
    assertEquals([refused, outdated], [1, 1]);
  },
);
