import { pairSums } from "../gpu/ops/reduce/pair_sums.ts";
import { copyParams, matricesOf } from "../model/transformer/params.ts";
import { sumGradients } from "./cluster/sum_gradients.ts";
import { type Divergence, divergenceOf } from "./divergence.ts";
import { microBatches } from "./micro_batches.ts";
import type { ScoredGroup } from "./packed_batch.ts";
import { policyGradient } from "./policy_gradient.ts";
import type { RolloutBatch } from "./rollout_source.ts";
import type { Diagnosis, Trainer } from "./trainer.ts";

/** What is measured now and then beside an update; it changes none of the update's numbers. */
export interface Diagnosed extends Divergence {
  /** Norm of the gradient of the thinking term alone, its weight included, before clipping. */
  gradient_norm_thinking: number;
  /** Norm of the rest, the answer term's. */
  gradient_norm_answer: number;
  /** Cosine of the gradient with that of the update before; null where there was none, or one of them is zero. */
  gradient_cosine: number | null;
}

/** Keeps the gradient of the last update, which this one's is then compared with: to be called before it is zeroed. */
export function keepGradient({ model: { gpu }, grads }: Trainer, { spare }: Diagnosis): void {
  copyParams(gpu, grads, spare);
}

/** Puts back what {@link keepGradient} kept, where the update that it was kept for is not made. */
export function putBackGradient({ model: { gpu }, grads }: Trainer, { spare }: Diagnosis): void {
  copyParams(gpu, spare, grads);
}

/**
 * Measures an update whose gradient is there and whose weights have not moved yet.
 * @param groups all of the batch
 * @param parts micro-batches of those that are learned from
 * @returns the numbers, and the seconds that measuring took
 */
export async function diagnose(
  trainer: Trainer,
  { base, spare }: Diagnosis,
  step: number,
  batch: RolloutBatch,
  groups: readonly ScoredGroup[],
  parts: readonly ScoredGroup[][],
): Promise<{ diagnosed: Diagnosed; seconds: number }> {
  const { model, grads, settings, thinking } = trainer;
  const compare = () => pairSums(model.gpu, matricesOf(grads), matricesOf(spare))();
  const last = await compare();
  // The update's own work is done by now, so that the clock measures what comes beside it.
  const started = performance.now();
  const fetches = await policyGradient(trainer, spare, parts, batch, step, "thinking");
  for (const fetch of fetches) await fetch();
  await sumGradients(trainer, spare);
  const { yy, difference } = await compare();
  const { hidden } = batch;
  const divergence = await divergenceOf(
    { policy: model, base, thinking, hidden },
    microBatches(groups, settings.microRows),
    trainer.learners,
  );
  const diagnosed = {
    ...divergence,
    gradient_norm_thinking: Math.sqrt(yy),
    gradient_norm_answer: Math.sqrt(difference),
    gradient_cosine: last.xx > 0 && last.yy > 0 ? last.xy / Math.sqrt(last.xx * last.yy) : null,
  };
  return { diagnosed, seconds: (performance.now() - started) / 1000 };
}
