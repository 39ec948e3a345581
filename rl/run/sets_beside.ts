import type { Trainable } from "../../model/transformer/params.ts";
import { gatherMoments, takeShare } from "../cluster/sharded_optimizer.ts";
import { ALONE } from "../cluster/learners.ts";
import { refreshOldest } from "../behind.ts";
import { isDiagnosed, type Trainer } from "../trainer.ts";

/** What of a trainer a checkpoint is made of. */
export type SavedTrainer =
  & Pick<Trainer, "model" | "tokenizer" | "optimizer" | "grads" | "diagnosis" | "learners" | "behind">
  & { settings: Pick<Trainer["settings"], "steps" | "diagnoseEvery"> };

/** What a checkpoint keeps of a trainer beside its weights. */
export interface SavedSet {
  /** What its tensors' names begin with. */
  prefix: string;
  params: Trainable;
  /** Brings what is to be saved there first, where several learners have shares of it: all of them call it. */
  gather?: () => Promise<void>;
  /** Takes the own share of what was loaded. */
  take?: () => void;
}

/** What the names of the gradient's tensors begin with. */
export const GRADIENT = "gradient.";

/**
 * Both moments; the gradient of update `step` where the next update is compared with it, and the weights of the updates before it where
 * rollouts are so old: so that a resumed run measures the same numbers. Of the last update, too, since a run may go on with more.
 */
export function setsBeside(
  trainer: Omit<SavedTrainer, "tokenizer">,
  step: number,
): SavedSet[] {
  const { settings, grads, diagnosis } = trainer;
  const moments = (["first", "second"] as const).map((which) => momentsOf(trainer, which));
  const isCompared = diagnosis !== undefined && isDiagnosed(settings, step + 1);
  return [...moments, ...isCompared ? [{ prefix: GRADIENT, params: grads }] : [], ...olderWeights(trainer)];
}

/** Those that rollouts under way, or the next ones, are made with: the younger first. */
const olderWeights = ({ behind }: Pick<Trainer, "behind">): SavedSet[] =>
  (behind?.models ?? []).map(({ params, adapter }, i) => ({
    prefix: `behind.${i + 1}.`,
    params: adapter?.params ?? params,
    take: () => refreshOldest(behind!),
  }));

/** Shares come and go through a gradient that nobody needs between updates. */
function momentsOf(
  { model: { gpu }, optimizer, grads, diagnosis, learners = ALONE }: Parameters<typeof setsBeside>[0],
  which: "first" | "second",
): SavedSet {
  const prefix = `${which}.`;
  if (!("places" in optimizer)) return { prefix, params: optimizer[which] };
  const params = diagnosis?.spare ?? grads;
  return {
    prefix,
    params,
    gather: () => gatherMoments(gpu, optimizer, which, params, learners),
    take: () => takeShare(gpu, optimizer, which, params),
  };
}
