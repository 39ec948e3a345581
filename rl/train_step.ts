/**
 * One update of the method ("Soft Tokens, Hard Truths", arXiv 2509.19170v2), top to bottom.
 *
 * Departures from the paper, or decisions where it is silent:
 * - Rewards 0, 10, 100 are divided by 100 before advantages are taken: a change of units.
 * - f32 weights and moments, AdamW betas 0.9 / 0.95, no weight decay, global norm clip 1: the paper names none.
 * - The embedding and all other weights train; with an adapter (LoRA) that alone.
 * - The gradient of a Gaussian action uses the recorded noise, not a second pass's h~ - m: the same in exact
 *   arithmetic, and free of the jumps of an argmax that flips by rounding.
 * - Groups whose rewards are all equal add nothing and are left out of the backward pass.
 * - With `--staleness` rollouts are some updates old, and each action is weighed by its importance ratio (model/thinking/importance.ts).
 */
import { UserError } from "../gpu/errors.ts";
import { gatherClock } from "./cluster/gather_clock.ts";
import { gatherStep } from "./cluster/gather_step.ts";
import { ALONE } from "./cluster/learners.ts";
import { shardedUpdate } from "./cluster/sharded_optimizer.ts";
import { sumGradients } from "./cluster/sum_gradients.ts";
import { keepBehind } from "./behind.ts";
import { diagnose, keepGradient, putBackGradient } from "./diagnose.ts";
import type { ActionRecord } from "./objective.ts";
import { learningRate, updateModel } from "./optimizer.ts";
import { learnedParts, policyGradient, scoredGroups } from "./policy_gradient.ts";
import { beginRollouts, drawRollouts } from "./refill.ts";
import type { RolloutBatch } from "./rollout_source.ts";
import { keepRollouts, tellRollout } from "./samples/keep_rollouts.ts";
import type { KeptRollout, ToldRollout } from "./samples/kept_rollout.ts";
import { type StepMetrics, stepMetrics } from "./step_metrics.ts";
import { actorOf, isDiagnosed, isSampled, type Trainer } from "./trainer.ts";
import { throwIfUndone } from "./undone_update.ts";

/** What an update comes to. */
export interface Update {
  /** Of all its rollouts. */
  metrics: StepMetrics;
  /** The rollouts themselves, with their rewards. */
  batch: RolloutBatch;
  /** Whole groups of it, where some are kept. */
  kept?: KeptRollout[];
  /** Tells its first rollout. */
  first(): ToldRollout;
}

/**
 * Does update `step` (from 1) and tells about it. Of several learners each does its share, and all get the same weights, metrics and batch; the
 * batch's rows fed are a learner's own.
 * @throws UndoneUpdate if a learner's rollouts were not made; the weights are those before it
 */
export async function trainStep(trainer: Trainer, step: number): Promise<Update> {
  const { model, settings, grads, optimizer, behind, learners = ALONE } = trainer;
  const { gpu } = model;
  using scratch = gpu.arena.scratch();
  const started = performance.now();
  // What was waited for between updates, as while one of them validates, is none of this one's.
  learners.takeSpent();

  // 1-6: questions, prefill, thinking, answers, their tokens on the CPU, rewards.
  gpu.profile.phase = "rollouts";
  await beginRollouts(trainer, step - 1);
  const batch = await drawRollouts(trainer, step, scratch);

  // 7: advantages, by default leave-one-out; groups without any difference are skipped.
  const groups = scoredGroups(batch, settings);
  const parts = learnedParts(groups, settings.microRows);

  // Now and then some rollouts are kept, with what their steps were made of, while the weights that acted are still there.
  gpu.profile.phase = "samples";
  const acted = { ...trainer, model: actorOf(trainer) };
  const kept = isSampled(settings, step) ? await keepRollouts(acted, step, batch, groups) : undefined;

  // 8, 9: forward over the stored rows, objective and backward, in micro-batches.
  gpu.profile.phase = "update";
  const updateStarted = performance.now();
  const diagnosis = isDiagnosed(settings, step) ? trainer.diagnosis : undefined;
  if (diagnosis) keepGradient(trainer, diagnosis);
  const fetches = await policyGradient(trainer, grads, parts, batch, step);
  await throwIfUndone(learners).catch((error) => {
    if (diagnosis) putBackGradient(trainer, diagnosis);
    throw error;
  });
  await sumGradients(trainer, grads);

  // Now and then more is measured, while the weights have not moved.
  const beside = diagnosis && await diagnose(trainer, diagnosis, step, batch, groups, parts);

  // 10: clip and AdamW, and before it the weights of the moment are kept where later rollouts are made with them.
  if (behind) keepBehind(model, behind);
  if ("places" in optimizer) await shardedUpdate(model, grads, optimizer, settings, step, learners);
  else updateModel(model, grads, optimizer, settings, step);

  // 11: statistics.
  const fetchNorm = gpu.reader.start(optimizer.norm);
  const records: ActionRecord[] = [];
  for (const fetch of fetches) records.push(await fetch());
  const norm = new Float32Array(await fetchNorm())[0];
  if (!Number.isFinite(norm)) throw diverged(step);
  const ended = performance.now();
  const all = await gatherStep(learners, { batch, groups, parts, records });
  const seconds = {
    step: (ended - started) / 1000,
    rollout: batch.seconds.generate,
    grade: batch.seconds.grade,
    update: (ended - updateStarted) / 1000 - (beside?.seconds ?? 0),
    ...(beside ? { diagnosis: beside.seconds } : {}),
    ...(kept ? { samples: kept.seconds } : {}),
  };
  const rollouts = batch.groups.reduce((sum, group) => sum + group.rollouts.length, 0);
  const workers = trainer.workers?.takeSpent();
  const clock = await gatherClock(learners, gpu, { seconds, rollouts, workers });
  const metrics = stepMetrics(trainer, step, all, {
    gradientNorm: norm,
    lr: learningRate(settings, step),
    diagnosed: beside?.diagnosed,
    clock,
  });
  const first = () => tellRollout(trainer, { step, group: 0, sample: 0 }, all.batch, all.groups);
  return {
    ...{ metrics, batch: all.batch, first },
    kept: kept && (await learners.gather(kept.rollouts)).flat().sort((a, b) => a.group - b.group),
  };
}

/** The weights are spoilt by now, but not saved. */
const diverged = (step: number): UserError =>
  new UserError(
    `Cannot go on after step ${step - 1}: the gradient of step ${step} is not finite, a finite one is needed`,
    "the last checkpoint is whole; train with a smaller learning rate (--lr) or a tighter --clip-step",
  );
