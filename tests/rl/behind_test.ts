/** Rollouts of older weights are made with the weights that their update says, of whatever trains; where K is 0 nothing is kept. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Way, wayOfThinking } from "../../model/thinking/ways.ts";
import { addAdapter, refreshAdapter } from "../../model/transformer/adapter.ts";
import { freeModel, type Model } from "../../model/transformer/transformer.ts";
import { ageOf, createBehind, freeBehind, keepBehind, madeAfter, modelAfter } from "../../rl/behind.ts";
import type { RolloutBatch } from "../../rl/rollout_source.ts";
import { loadCheckpoint } from "../../rl/run/load_checkpoint.ts";
import { nameOf } from "../../rl/run/run_checkpoints.ts";
import { freshState } from "../../rl/run/run_state.ts";
import { saveCheckpoint } from "../../rl/run/save_checkpoint.ts";
import type { StepMetrics } from "../../rl/step_metrics.ts";
import { trainStep } from "../../rl/train_step.ts";
import { actorOf, createTrainer, questionsOf } from "../../rl/trainer.ts";
import { openTestGpu } from "../gpu/support.ts";
import { testFolder } from "../support/folders.ts";
import { downloadNamed, uploadNamed } from "./support/named_weights.ts";
import { freeTrainer, SMALL_TRAINING, smallTrainer } from "./support/small_trainer.ts";
import { tinyModel } from "./support/tiny_model.ts";

const { gpu } = await openTestGpu();
const place = await testFolder();
const STALENESS = 2;
const STEPS = 4;
/** The update after which a checkpoint is written. */
const SAVED = 2;

Deno.test("rollouts of update t are made with the weights after update t - 1 - K, or with those of the beginning", () => {
  const steps = [1, 2, 3, 4, 9];
  assertEquals(steps.map((step) => madeAfter(STALENESS, step)), [0, 0, 0, 1, 6]);
  assertEquals(steps.map((step) => ageOf(STALENESS, step)), [0, 1, 2, 2, 2]);
  assertEquals(steps.map((step) => madeAfter(0, step)), [0, 1, 2, 3, 8]);
});

const trainedOf = ({ adapter, params }: Model) => adapter?.params ?? params;
const weightsOf = (model: Model) => downloadNamed(gpu, model.config, trainedOf(model));
const timeless = ({ time: _, ...rest }: StepMetrics) => rest;
const madeBy = ({ groups }: RolloutBatch) =>
  groups.flatMap(({ rollouts }) => rollouts.map(({ rollout }) => rollout));

function modelWith(lora: boolean): Model {
  const model = tinyModel(gpu);
  if (lora) addAdapter(model, { rank: 4, alpha: 8 }, 1);
  return model;
}

for (const [way, lora] of [["soft", false], ["hard", true]] as [Way, boolean][]) {
  Deno.test(`${way}, ${lora ? "LoRA" : "full"}: an update's rollouts are those of a training that has these weights now; a run goes on as it was`, async () => {
    const thinking = wayOfThinking(way, { greedy: false, gamma: 0.33, embeddingRms: 0.1 });
    const settings = { ...SMALL_TRAINING, staleness: STALENESS };
    const [model, other] = [modelWith(lora), modelWith(lora)];
    const trainer = smallTrainer(model, thinking, settings);
    const fresh = smallTrainer(other, thinking, { ...settings, staleness: 0 });
    const after = [await weightsOf(model)];
    const folder = `${place}/${way}`;
    const lines: StepMetrics[] = [];
    let moved = 0;
    for (let step = 1; step <= STEPS; step++) {
      const { batch, metrics } = await trainStep(trainer, step);
      after.push(await weightsOf(model));
      lines.push(metrics);
      if (step === SAVED) await saveCheckpoint({ folder }, trainer, { ...freshState(trainer, 0.1), step }, 1);
      assertEquals(metrics.rollout_age, ageOf(STALENESS, step));
      uploadNamed(gpu, other.config, trainedOf(other), after[madeAfter(STALENESS, step)]);
      if (other.adapter) refreshAdapter(gpu, other.adapter);
      using scratch = gpu.arena.scratch();
      const now = await fresh.source.rollouts(step, questionsOf(fresh, step), scratch);
      assertEquals(madeBy(batch), madeBy(now), `update ${step}`);
      if (metrics.ratio_thinking_kl! > 0) moved++;
    }
    assertEquals(moved, STEPS - 1);
    const { behind } = trainer;
    for (let update = STEPS - STALENESS; update <= STEPS; update++) {
      assertEquals(await weightsOf(modelAfter(model, behind!, update)), after[update]);
    }
    for (const update of [STEPS - STALENESS - 1, STEPS + 1]) {
      assertThrows(() => modelAfter(model, behind!, update), Error, "those after 2 to 4 are kept");
    }
    const resumed = smallTrainer(modelWith(lora), thinking, settings);
    loadCheckpoint(`${folder}/checkpoints/${nameOf(SAVED)}`, resumed);
    for (let step = SAVED + 1; step <= STEPS; step++) {
      const { metrics } = await trainStep(resumed, step);
      assertEquals(timeless(metrics), timeless(lines[step - 1]), `update ${step} of the run that goes on`);
    }
    assertEquals(await weightsOf(resumed.model), after[STEPS]);
    for (const one of [trainer, fresh, resumed]) freeTrainer(one);
    for (const one of [model, other, resumed.model]) freeModel(one);
  });
}

Deno.test("on-policy nothing is kept; a way without a ratio of densities is no way for old rollouts", () => {
  const model = tinyModel(gpu);
  assertEquals(createBehind(model, 0), undefined);
  assertEquals(actorOf({ model }), model);
  const behind = createBehind(model, 1)!;
  assert(actorOf({ model, behind }) === behind.models[0] && behind.models[0].params !== model.params);
  keepBehind(model, behind);
  assertEquals(behind.done, 1);
  const mixed = wayOfThinking("multiplex", { greedy: false, gamma: 0, embeddingRms: 0.1 });
  for (const settings of [{ ...SMALL_TRAINING, staleness: 1 }, { ...SMALL_TRAINING, staleness: 2 }]) {
    const parts = smallTrainer(model, mixed);
    assertThrows(
      () => createTrainer({ ...parts, behind, settings }),
      Error,
      "Cannot train multiplex thinking on rollouts",
    );
    freeTrainer(parts);
  }
  freeBehind(behind);
  freeModel(model);
});
