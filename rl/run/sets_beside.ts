import type { Trainable } from "../../model/transformer/params.ts";
import { isDiagnosed, type Trainer } from "../trainer.ts";

/** What a checkpoint keeps of a trainer beside its weights. */
export interface SavedSet {
  /** What its tensors' names begin with. */
  prefix: string;
  params: Trainable;
}

/**
 * Both moments, and the gradient of update `step` where the next update is compared with it: so that a resumed run measures the same numbers.
 */
export function setsBeside(
  { optimizer, settings, grads, diagnosis }: Pick<Trainer, "optimizer" | "settings" | "grads" | "diagnosis">,
  step: number,
): SavedSet[] {
  const moments = [{ prefix: "first.", params: optimizer.first }, {
    prefix: "second.",
    params: optimizer.second,
  }];
  const isCompared = diagnosis !== undefined && step < settings.steps && isDiagnosed(settings, step + 1);
  return isCompared ? [...moments, { prefix: "gradient.", params: grads }] : moments;
}
