/** Rollout and training agree to the bit in every way of thinking, and the alarm rings when they do not. */
import { assert, assertEquals } from "@std/assert";
import { type MixingOptions, type Way, wayOfThinking, WAYS } from "../../model/thinking/ways.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { mismatchOf } from "../../rl/mismatch.ts";
import type { ActionRecord } from "../../rl/objective.ts";
import { trainStep } from "../../rl/train_step.ts";
import type { RolloutBatch, RolloutSource } from "../../rl/rollout_source.ts";
import type { Trainer } from "../../rl/trainer.ts";
import { openTestGpu } from "../gpu/support.ts";
import { downloadNamed } from "./support/named_weights.ts";
import { freeTrainer, SMALL_TRAINING, smallTrainer } from "./support/small_trainer.ts";
import { embeddingRms, tinyModel } from "./support/tiny_model.ts";

const t = await openTestGpu();
const tiles = await openTestGpu({ matmulFamily: "tile" });

/** A way of thinking with options of its own. */
interface Kind extends MixingOptions {
  way: Way;
  /** Its steps can have near-ties: an argmax decides, or nearly so. */
  tied?: boolean;
}

const KINDS: readonly Kind[] = [
  ...WAYS.map((way) => ({ way, tied: way === "soft" || way === "fuzzy" })),
  { way: "multiplex", weighting: "probability" },
  { way: "neighbours", weighting: "uniform", rho: 0.5 },
  ...(["soft", "fuzzy"] as const).flatMap((way) => [
    { way, noiseOn: "logits" } as const,
    { way, noiseOn: "hidden", wholeScore: true } as const,
  ]),
  { way: "soft", noiseOn: "top-logits" },
];

const nameOf = ({ way, tied: _, ...options }: Kind) => [way, ...Object.values(options)].join(", ");

/** Runs `test` with the trainer of a random model, and a maker of the same thinking with other noise. */
async function withTrainer(
  { way, tied: _, ...options }: Kind,
  test: (trainer: Trainer, think: (gamma: number) => Thinking) => Promise<void>,
  gpu: Gpu = t.gpu,
  shape: Partial<ModelConfig> = {},
  settings = SMALL_TRAINING,
) {
  const model = tinyModel(gpu, shape);
  const rms = await embeddingRms(model);
  const think = (gamma: number) =>
    wayOfThinking(way, { ...options, greedy: false, gamma, embeddingRms: rms });
  const trainer = smallTrainer(model, think(0.33), settings);
  await test(trainer, think);
  gpu.commands.flush();
  freeTrainer(trainer);
  freeModel(model);
}

/** A source whose batches are changed before the trainer sees them. */
const spoiled = ({ source }: Trainer, spoil: (batch: RolloutBatch) => void): RolloutSource => ({
  async rollouts(...args) {
    const batch = await source.rollouts(...args);
    spoil(batch);
    return batch;
  },
});

const rolloutsOf = (batch: RolloutBatch) =>
  batch.groups.flatMap(({ rollouts }) => rollouts).map((graded) => graded.rollout);

for (const kind of KINDS) {
  const name = nameOf(kind);
  Deno.test(`${name}: the mismatch is exactly 0, step after step`, () =>
    withTrainer(kind, async (trainer) => {
      const { gpu, config, params } = trainer.model;
      const before = await downloadNamed(gpu, config, params);
      let near = 0;
      for (let step = 1; step <= 4; step++) {
        const { metrics, batch } = await trainStep(trainer, step);
        assertEquals(metrics.mismatch_thinking_mean, 0);
        assertEquals(metrics.mismatch_thinking_max, 0);
        assertEquals(metrics.mismatch_answer_mean, 0);
        assertEquals(metrics.mismatch_answer_max, 0);
        assertEquals(metrics.mismatch_near_tie_max, 0);
        assertEquals(metrics.flips, 0);
        assert(metrics.gradient_norm > 0 && metrics.equal_groups < 1, "nothing was trained on");
        const trained = batch.groups.filter(({ rollouts }) =>
          rollouts.some(({ grade }) => grade.reward !== rollouts[0].grade.reward)
        ).flatMap(({ rollouts }) => rollouts);
        const gaps = trained.flatMap(({ rollout }) => [...rollout.thinkingStats.gap]);
        const ties = gaps.filter((gap) => gap <= 20 * trainer.thinking.tau).length;
        assertEquals(metrics.near_ties, kind.tied ? ties : 0);
        near += ties;
        if (kind.way === "fuzzy") assert(ties < gaps.length, "every fuzzy step a near-tie");
      }
      assert(near > 0, "no near-ties: their count was not tested");
      const after = await downloadNamed(gpu, config, params);
      for (const [name, values] of after) {
        assert(values.some((x, i) => x !== before.get(name)![i]), `${name} did not change`);
        assert(values.every(Number.isFinite), `${name} is not finite`);
      }
    }));

  Deno.test(`${name}: with the kernels of real GPUs, split sums in rollouts and tiles in training, it is 0 too`, () =>
    withTrainer(
      kind,
      async (trainer) => {
        for (let step = 1; step <= 2; step++) {
          const { metrics } = await trainStep(trainer, step);
          assertEquals([metrics.mismatch_thinking_max, metrics.mismatch_near_tie_max], [0, 0]);
          assertEquals([metrics.mismatch_answer_max, metrics.flips], [0, 0]);
          assert(metrics.gradient_norm > 0, "nothing was trained on");
        }
        const labels = [...tiles.gpu.pipelines.keys()];
        for (const part of ["nt_f32_split_8", "nt_f32_tile"]) {
          assert(labels.some((label) => label.includes(part)), `${part} among ${labels}`);
        }
      },
      tiles.gpu,
      // Sums of several segments, and a broken one.
      { hiddenSize: 136, intermediateSize: 204 },
      { ...SMALL_TRAINING, questions: 2 },
    ));

  if (kind.way === "soft" && !kind.noiseOn) {
    for (const shape of [{ qkNorm: true }, { qkvBias: true }] as const) {
      Deno.test(`${name}: with the kernels of real GPUs it is 0 with ${Object.keys(shape)} too`, () =>
        withTrainer(
          kind,
          async (trainer) => {
            const { metrics } = await trainStep(trainer, 1);
            assertEquals([metrics.mismatch_thinking_max, metrics.mismatch_near_tie_max], [0, 0]);
            assertEquals([metrics.mismatch_answer_max, metrics.flips], [0, 0]);
            assert(metrics.gradient_norm > 0, "nothing was trained on");
          },
          tiles.gpu,
          shape,
          { ...SMALL_TRAINING, questions: 2 },
        ));
    }
  }

  Deno.test(`${name}: changed forced ids ring the alarm for the answers, and for them alone`, () =>
    withTrainer(kind, async (trainer) => {
      const source = spoiled(trainer, (batch) => {
        for (const rollout of rolloutsOf(batch)) {
          rollout.forced = rollout.forced.with(-1, 1 + rollout.forced.at(-1)!);
        }
      });
      const { metrics } = await trainStep({ ...trainer, source }, 1);
      assert(metrics.mismatch_answer_mean > 1e-4, `${metrics.mismatch_answer_mean}`);
      assert(metrics.mismatch_answer_max >= metrics.mismatch_answer_mean);
      assertEquals(
        [metrics.mismatch_thinking_max, metrics.mismatch_near_tie_max],
        [0, 0],
      );
    }));

  Deno.test(`${name}: a changed prompt rings the alarm for the thinking`, () =>
    withTrainer(kind, async (trainer) => {
      const source = spoiled(trainer, (batch) => {
        for (const group of batch.groups) group.prompt = group.prompt.slice(1);
      });
      const { metrics } = await trainStep({ ...trainer, source }, 1);
      assert(Math.max(metrics.mismatch_thinking_max, metrics.mismatch_near_tie_max) > 1e-4);
    }));

  Deno.test(`${name}: weights that moved between rollout and training ring the alarm`, () =>
    withTrainer(kind, async (trainer) => {
      const { model } = trainer;
      const norm = new Float32Array(model.config.hiddenSize).fill(1.01);
      const source = spoiled(trainer, () => uploadRows(model.gpu, model.params.layers[1].mlpNorm, 0, norm));
      const { metrics } = await trainStep({ ...trainer, source }, 1);
      assert(metrics.mismatch_answer_max > 1e-7, `${metrics.mismatch_answer_max}`);
      assert(Math.max(metrics.mismatch_thinking_max, metrics.mismatch_near_tie_max) > 1e-7);
    }));
}

for (const kind of ["soft", "fuzzy"] as const) {
  const alarm = { soft: "mismatch_near_tie_max", fuzzy: "mismatch_thinking_max" } as const;

  Deno.test(`${kind}: another noise scale in training rings the alarm in units of sigma`, () =>
    withTrainer({ way: kind }, async (trainer, think) => {
      const { metrics } = await trainStep({ ...trainer, thinking: think(0.66) }, 1);
      // h~ - m = sigma eps, of which 2 sigma eps is taken away: half a sigma' of noise is left.
      const deviation = metrics[alarm[kind]];
      assert(deviation > 0.4 && deviation < 1, `${deviation}`);
      assertEquals(metrics.mismatch_answer_max, 0);
    }));

  Deno.test(`${kind}: another noise seed in training rings the alarm`, () =>
    withTrainer({ way: kind }, async (trainer) => {
      const { settings } = trainer;
      const { metrics } = await trainStep({ ...trainer, settings: { ...settings, seed: 12 } }, 1);
      // The difference of two independent noises.
      const deviation = metrics[alarm[kind]];
      assert(deviation > 1.2 && deviation < 3, `${deviation}`);
      assertEquals(metrics.mismatch_answer_max, 0);
    }));
}

Deno.test("flips: near-ties whose shadow is not the training pass's are counted", () =>
  withTrainer({ way: "soft" }, async (trainer) => {
    let steps = 0;
    const source = spoiled(trainer, (batch) => {
      for (const rollout of rolloutsOf(batch)) {
        steps++;
        rollout.thinking[0] = (rollout.thinking[0] + 1) % 70;
      }
    });
    const { metrics } = await trainStep({ ...trainer, source }, 1);
    assertEquals(
      metrics.flips,
      steps - SMALL_TRAINING.group * Math.round(SMALL_TRAINING.questions * metrics.equal_groups),
    );
    // A shadow is not fed: nothing else changes.
    assertEquals([metrics.mismatch_near_tie_max, metrics.mismatch_answer_max], [0, 0]);
  }));

Deno.test("a number that is none never passes for 0, wherever it stands", () => {
  const thinking = wayOfThinking("hard", { greedy: false, gamma: 0, embeddingRms: 1 });
  const stats = { logp: Float32Array.of(-1, -2, -3), entropy: new Float32Array(3), gap: new Float32Array(3) };
  const rollout = { index: 0, thinking: [1, 2, 3], thinkingStats: stats, answerStats: stats };
  const batch = { groups: [{ rollouts: [{ rollout }] }] } as unknown as RolloutBatch;
  const parts = [[{ prompt: [0], rollouts: [{ index: 0 }] }]] as unknown as Parameters<typeof mismatchOf>[2];
  for (let at = 0; at < 3; at++) {
    const record: ActionRecord = {
      thinking: stats.logp.with(at, NaN),
      answer: stats.logp.with(at, -7),
      thinkingStats: new Float32Array(0),
    };
    const { mismatch_thinking_max, mismatch_thinking_mean, mismatch_answer_max } = mismatchOf(
      thinking,
      batch,
      parts,
      [record],
    );
    assert(Number.isNaN(mismatch_thinking_max) && Number.isNaN(mismatch_thinking_mean), `at ${at}`);
    assertEquals(mismatch_answer_max, 7 + stats.logp[at]);
  }
});
