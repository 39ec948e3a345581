/** The divergence of a policy from its base on the policy's rollouts, against the logits of whole texts in f64. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { addAdapter } from "../../model/transformer/adapter.ts";
import { createModel, freeModel, type Model } from "../../model/transformer/transformer.ts";
import { type Way, wayOfThinking } from "../../model/thinking/ways.ts";
import { divergenceOf } from "../../rl/divergence.ts";
import { microBatches } from "../../rl/micro_batches.ts";
import { scoredGroups } from "../../rl/policy_gradient.ts";
import { questionsOf } from "../../rl/trainer.ts";
import { openTestGpu, random32 } from "../gpu/support.ts";
import { logitsOfRows } from "../model/support/logits_of.ts";
import { softmax } from "../reference/softmax.ts";
import { downloadNamed, uploadNamed } from "./support/named_weights.ts";
import { freeTrainer, smallTrainer } from "./support/small_trainer.ts";
import { embeddingRms, tinyModel } from "./support/tiny_model.ts";

const t = await openTestGpu();
const { gpu } = t;

/** ln p at a temperature over the tokens there are. */
function logProbabilities(z: Float32Array, { config }: Model, tau: number): Float64Array {
  const used = Float64Array.from(z.subarray(0, config.usedVocabSize));
  const { logSumExp: [all] } = softmax(used, 1, used.length, tau);
  return used.map((value) => value / tau - all);
}

const k3 = (d: number): number => Math.expm1(d) - d;

/** A base whose embedding (and head) is a little beside the policy's. */
async function beside(policy: Model): Promise<Model> {
  const base = tinyModel(gpu);
  const values = await downloadMatrix(gpu, policy.params.embedding);
  const { cols } = base.params.embedding;
  const moved = Float32Array.from(random32(9, values.length, 0.05), (value, i) => values[i] + value);
  uploadRows(gpu, base.params.embedding, 0, moved.subarray(0, values.length - values.length % cols));
  return base;
}

for (const way of ["hard", "soft", "multiplex"] satisfies Way[]) {
  Deno.test(`${way}: what the logits of whole texts say, over several micro-batches; of the same weights exactly 0`, async () => {
    const policy = tinyModel(gpu);
    const base = await beside(policy);
    const rms = await embeddingRms(policy);
    const thinking = wayOfThinking(way, { greedy: false, gamma: 0.33, embeddingRms: rms });
    const trainer = smallTrainer(policy, thinking);
    using scratch = gpu.arena.scratch();
    const batch = await trainer.source.rollouts(1, questionsOf(trainer, 1), scratch);
    const parts = microBatches(scoredGroups(batch, {}), trainer.settings.microRows);
    assert(parts.length > 1);
    const { hidden } = batch;
    const found = await divergenceOf({ policy, base, thinking, hidden }, parts);

    const fed = new Float32Array(await gpu.reader.read(hidden));
    const d = policy.config.hiddenSize;
    const own: { thinking: number[]; answer: number[] } = { thinking: [], answer: [] };
    for (const { prompt, rollouts } of batch.groups) {
      for (const { rollout } of rollouts) {
        const ids = [...prompt, ...rollout.thinking, ...rollout.forced, ...rollout.answer];
        const logits: Float32Array[][] = [];
        for (const model of [policy, base]) {
          const table = await downloadMatrix(gpu, model.params.embedding);
          const rows = ids.map((id, at) => {
            const step = at - prompt.length;
            const isThought = thinking.continuous && step >= 0 && step < rollout.thinking.length;
            const from = isThought ? rollout.index * hidden.shape[1] + step : id;
            return [...(isThought ? fed : table).subarray(from * d, (from + 1) * d)];
          });
          logits.push(await logitsOfRows(model, t.f32(rows.flat(), [ids.length, d])));
        }
        const at = (row: number, tau: number) =>
          logits.map((rows) => logProbabilities(rows[row], policy, tau));
        const token = (row: number, tau: number) => {
          const [p, q] = at(row, tau);
          return k3(q[ids[row + 1]] - p[ids[row + 1]]);
        };
        rollout.thinking.forEach((_, step) => {
          const row = prompt.length - 1 + step;
          const [p, q] = at(row, thinking.tau);
          const whole = p.reduce((sum, logp, i) => sum + Math.exp(logp) * k3(q[i] - logp), 0);
          own.thinking.push(thinking.continuous ? whole : token(row, thinking.tau));
        });
        const first = ids.length - rollout.answer.length - 1;
        rollout.answer.forEach((_, a) => own.answer.push(token(first + a, 1)));
      }
    }
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const near = (value: number | null, expected: number) => {
      assert(expected > 1e-5, `${expected} says little`);
      assertAlmostEquals(value!, expected, 1e-4 * expected);
    };
    near(found.kl_thinking, mean(own.thinking));
    near(found.kl_answer, mean(own.answer));
    const same = await divergenceOf({ policy, base: { ...policy }, thinking, hidden }, parts);
    assertEquals(same, { kl_thinking: 0, kl_answer: 0 });
    freeTrainer(trainer);
    for (const model of [policy, base]) freeModel(model);
  });
}

Deno.test("a base that is held in f16 is the one that was widened to f32: nothing diverges", async () => {
  const full = tinyModel(gpu);
  const { config } = full;
  const [base, policy] = [createModel(gpu, config, "f16"), createModel(gpu, config)];
  uploadNamed(gpu, config, base.params, await downloadNamed(gpu, config, full.params));
  uploadNamed(gpu, config, policy.params, await downloadNamed(gpu, config, base.params));
  await assertNothingDiverges(policy, base);
  for (const model of [full, policy, base]) freeModel(model);
});

Deno.test("an adapter that adds nothing yet does not diverge from the model without it", async () => {
  const policy = tinyModel(gpu);
  const base = { ...policy };
  addAdapter(policy, { rank: 4, alpha: 8 }, 1);
  await assertNothingDiverges(policy, base);
  freeModel(policy);
});

/** On soft rollouts of the policy; and of no rollouts nothing is told. */
async function assertNothingDiverges(policy: Model, base: Model): Promise<void> {
  const thinking = wayOfThinking("soft", { greedy: false, gamma: 0.33, embeddingRms: 1 });
  const trainer = smallTrainer(policy, thinking);
  using scratch = gpu.arena.scratch();
  const batch = await trainer.source.rollouts(1, questionsOf(trainer, 1), scratch);
  const compared = { policy, base, thinking, hidden: batch.hidden };
  const parts = microBatches(scoredGroups(batch, {}), 150);
  assertEquals(await divergenceOf(compared, parts), { kl_thinking: 0, kl_answer: 0 });
  assertEquals(await divergenceOf(compared, []), { kl_thinking: null, kl_answer: null });
  freeTrainer(trainer);
}
