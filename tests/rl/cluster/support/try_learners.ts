/**
 * Run by mpirun: each learner holds what it gets from the others against what one process makes alone, and says `learner R: all is right`.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { openGpu } from "../../../../gpu/device/open_gpu.ts";
import { sliceOf } from "../../../../rl/cluster/add_up.ts";
import { BUCKET } from "../../../../rl/cluster/buckets.ts";
import { ALONE, type Learners } from "../../../../rl/cluster/learners.ts";
import { joinMpi } from "../../../../rl/cluster/mpi.ts";
import { mpiLearners } from "../../../../rl/cluster/mpi_learners.ts";
import { createShardedOptimizer } from "../../../../rl/cluster/sharded_optimizer.ts";
import { UndoneUpdate } from "../../../../rl/undone_update.ts";
import { NatsRefusal } from "../../../../rl/workers/nats_patience.ts";
import { trainStep } from "../../../../rl/train_step.ts";
import { freeModel } from "../../../../model/transformer/transformer.ts";
import { hardThinking } from "../../../../model/thinking/hard.ts";
import { type Way, wayOfThinking } from "../../../../model/thinking/ways.ts";
import { assertSameBits } from "../../../gpu/support.ts";
import { random32 } from "../../../gpu/support.ts";
import { randomAdapter } from "../../support/lora_in_f64.ts";
import { downloadNamed, gradientError } from "../../support/named_weights.ts";
import { freeTrainer, SMALL_TRAINING, smallTrainer } from "../../support/small_trainer.ts";
import { tinyModel } from "../../support/tiny_model.ts";

const mpi = joinMpi();
const learners = mpiLearners(mpi);
const gpu = await openGpu();
const { rank, size } = learners;

await gatherAnything();
await sumInRankOrder();
for (
  const [kind, lora] of [["hard", false], ["soft", false], ["multiplex", false], ["soft", true]] as const
) {
  await learnAsOne(kind, lora);
}
await stopTogether();
console.log(`learner ${rank}: all is right`);
mpi.leave();
gpu.close();

/** An update that one learner does not draw its share of, at its first questions or further ones, is undone on all: why is the same. */
async function stopTogether(): Promise<void> {
  const stop = new DOMException("no worker was there", "AbortError");
  const refusal = new NatsRefusal("Cannot give a job", "allow it");
  for (const [error, at, refill] of [[stop, 1, 0], [refusal, 1, 2], [stop, 2, 1], [refusal, 2, 2]] as const) {
    const model = tinyModel(gpu, {}, 3);
    const settings = { ...SMALL_TRAINING, questions: 4, refill };
    const trainer = { ...smallTrainer(model, hardThinking(1), settings), learners };
    let draws = 0;
    const rollouts: typeof trainer.source.rollouts = async (...asked) => {
      if (rank === 1 && ++draws === at) throw error;
      const batch = await trainer.source.rollouts(...asked);
      // Rewards that are all the same ask for further questions.
      for (const graded of batch.groups.flatMap(({ rollouts }) => rollouts)) if (at === 2) graded.reward = 0;
      return batch;
    };
    const undone = await assertRejects(
      () => trainStep({ ...trainer, source: { rollouts } }, 1),
      UndoneUpdate,
      error.message,
    );
    assertEquals(undone.failure?.hint, error === refusal ? "allow it" : undefined);
    freeTrainer(trainer);
    freeModel(model);
  }
}

async function gatherAnything(): Promise<void> {
  const own = { rank, list: Array.from({ length: rank }, () => null), f: Float32Array.of(rank, NaN) };
  const all = await learners.gather(own);
  assertEquals(all.map((one) => one.rank), Array.from({ length: size }, (_, r) => r));
  assertEquals(all.map(({ list }) => list.length), all.map(({ rank }) => rank));
  assertEquals([...all[size - 1].f], [size - 1, NaN]);
}

/**
 * Sums of tensors of odd sizes: ((a0 + a1) + a2) in f32, element by element. One is longer than a bucket; one is lent where it lies, in more
 * than one slice, after work and before work that is recorded.
 */
async function sumInRankOrder(): Promise<void> {
  const counts = [5, 1001, BUCKET + 77, sliceOf(size, BUCKET) + 70_001, 3];
  const values = (r: number, i: number) => random32(100 * r + i, counts[i], 1);
  const tensors = counts.map((count, i) => {
    const create = () => gpu.arena.create([count], "f32", `tried ${i}`);
    const tensor = i === 3 ? gpu.arena.lendable(create) : create();
    gpu.commands.upload(tensor, Float32Array.from(values(rank, i)));
    return tensor;
  });
  assert(tensors[3].storage.lendable);
  await learners.sum(gpu, tensors);
  for (const [i, tensor] of tensors.entries()) {
    const expected = Float32Array.from(values(0, i));
    for (let r = 1; r < size; r++) {
      const further = values(r, i);
      expected.forEach((value, k) => expected[k] = Math.fround(value + further[k]));
    }
    assertSameBits(`tensor ${i}`, new Float32Array(await gpu.reader.read(tensor)), expected);
    gpu.arena.free(tensor);
  }
  const { bytes, summed } = learners.takeSpent();
  assert(bytes > 4 * BUCKET && summed > 0);
}

/** Updates by all learners: the gradient is that of one with all questions, and all end with the same weights, whoever has the moments. */
async function learnAsOne(kind: Way, lora: boolean): Promise<void> {
  const found = [];
  for (const [by, shard] of [[ALONE, false], [learners, false], [learners, true]] as const) {
    found.push(await train(kind, lora, by, shard));
  }
  const [alone, together, sharded] = found;
  const error = Math.sqrt(gradientError(together.gradient, alone.gradient));
  assert(error < 1e-6, `${kind}: the gradient is off by ${error}`);
  const { time: _, ...line } = together.line;
  const { time: __, ...expected } = alone.line;
  // Of the first update all that comes from rollouts is the same to the bit.
  const norm = Math.abs(line.gradient_norm - expected.gradient_norm);
  assert(norm < 1e-6 * expected.gradient_norm, `${kind}: norms differ by ${norm}`);
  assertEquals({ ...line, gradient_norm: 0 }, { ...expected, gradient_norm: 0 });
  for (const [name, weight] of together.weights) {
    assertSameBits(name, sharded.weights.get(name)!, weight);
  }
  const hash = (weights: typeof together.weights) =>
    [...weights.values()].map((one) => new Uint32Array(one.buffer).reduce((h, w) => (h * 31 + w) >>> 0, 7));
  const all = await learners.gather(hash(together.weights));
  all.forEach((one) => assertEquals(one, all[0]));
}

/** Two updates; the gradient and the metrics are those of the first. */
async function train(kind: Way, lora: boolean, by: Learners, shard: boolean) {
  const model = tinyModel(gpu, {}, 3);
  if (lora) await randomAdapter(model, { rank: 4, alpha: 8 }, 5);
  const thinking = wayOfThinking(kind, { greedy: false, gamma: 0.3, embeddingRms: 0.1 });
  // Four questions and a second draw: shares of several sizes, some of them empty.
  const settings = { ...SMALL_TRAINING, questions: 4, refill: 1 };
  const trainer = { ...smallTrainer(model, thinking, settings), learners: by };
  const trained = model.adapter?.params ?? model.params;
  const shared = shard ? { ...trainer, optimizer: createShardedOptimizer(gpu, trained, by) } : trainer;
  const { metrics: line } = await trainStep(shared, 1);
  const gradient = await downloadNamed(gpu, model.config, trainer.grads);
  await trainStep(shared, 2);
  const weights = await downloadNamed(gpu, model.config, trained);
  freeTrainer(trainer);
  freeModel(model);
  return { line, gradient, weights };
}
