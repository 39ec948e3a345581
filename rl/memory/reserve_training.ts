import { openDryGpu } from "../../gpu/device/dry_gpu.ts";
import { shareCacheBudget } from "../../model/memory/cache_budget.ts";
import type { Trainer } from "../trainer.ts";
import { ALONE, largestShare } from "../cluster/learners.ts";
import { dryTrainer, trainDry } from "./dry_trainer.ts";
import { promptTokensOf, type TrainingShape } from "./training_shape.ts";

/**
 * Makes the buffers that a training will want at most, by steps run dry on its device's own arena: a training that begins does
 * not run out of memory later, and its steps make no buffer and no bind group once each kernel has run.
 */
export async function reserveTraining(trainer: Trainer): Promise<void> {
  const { model, thinking, rules, settings, grads, optimizer, diagnosis, behind } = trainer;
  const gpu = openDryGpu(model.gpu, { arena: model.gpu.arena });
  shareCacheBudget(model.gpu, gpu);
  const shape: TrainingShape = {
    ...settings,
    questions: largestShare(settings.questions, trainer.learners ?? ALONE),
    ...{ maxThinking: rules.maxThinking, answerTokens: rules.maxAnswer, thinking },
    ...await promptTokensOf(trainer),
    forcedTokens: Math.max(...Object.values(rules.forcedIds).map((ids) => ids.length)),
  };
  const dry = { ...model, gpu };
  const measured = diagnosis && { ...diagnosis, base: { ...diagnosis.base, gpu } };
  const older = behind && { ...behind, models: behind.models.map((one) => ({ ...one, gpu })) };
  const parts = { shape, grads, optimizer, diagnosis: measured, behind: older };
  await trainDry(dryTrainer({ model: dry, rolloutModel: dry, ...parts }));
}
