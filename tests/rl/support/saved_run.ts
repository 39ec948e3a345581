import { wayOfThinking } from "../../../model/thinking/ways.ts";
import type { Gpu } from "../../../gpu/gpu.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { createRun } from "../../../rl/run/run.ts";
import type { RunState } from "../../../rl/run/run_state.ts";
import { saveCheckpoint } from "../../../rl/run/save_checkpoint.ts";
import type { Trainer } from "../../../rl/trainer.ts";
import { random32 } from "../../gpu/support.ts";
import { inFolder } from "../../support/folders.ts";
import { downloadNamed, uploadNamed } from "./named_weights.ts";
import { freeTrainer, momentsOf, smallTrainer } from "./small_trainer.ts";
import { embeddingRms, tinyModel } from "./tiny_model.ts";

/** The folder of a run that is yet to be made, and so is the one above it. */
export const inRun = (test: (folder: string) => Promise<void> | void): Promise<void> =>
  inFolder((parent) => test(`${parent}/runs/a`));

/** Runs a test with a trainer whose weights and moments are random numbers of the seed. */
export async function withRandomTrainer(
  gpu: Gpu,
  seed: number,
  test: (trainer: Trainer, state: RunState) => Promise<void>,
): Promise<void> {
  const model = tinyModel(gpu, {}, seed);
  const { config } = model;
  const thinking = wayOfThinking("hard", { greedy: false, gamma: 0, embeddingRms: 1 });
  const trainer = smallTrainer(model, thinking);
  for (const [i, moments] of momentsOf(trainer).entries()) {
    const values = [...await downloadNamed(gpu, config, moments)].map(([name, { length }], n) =>
      [name, random32(1000 * seed + 100 * i + n, length)] as const
    );
    uploadNamed(gpu, config, moments, new Map(values));
  }
  const kernels = { adapter: "a", matmulFamily: "broadcast", subgroupSize: 8 };
  const rms = await embeddingRms(model);
  const { forcedIds } = trainer.rules;
  await test(trainer, { step: 0, tokens: 0, best: null, embeddingRms: rms, forcedIds, kernels });
  freeTrainer(trainer);
  freeModel(model);
}

/** A run with checkpoints of these steps, the best being that of `best` once it is there. */
export async function savedRun(
  folder: string,
  trainer: Trainer,
  state: RunState,
  steps: number[],
  best: number,
): Promise<void> {
  const run = createRun(folder, "");
  for (const step of steps) {
    const known = step >= best ? { step: best, accuracy: 0.5 } : null;
    await saveCheckpoint(run, trainer, { ...state, step, best: known }, 2);
  }
  run.close();
}
