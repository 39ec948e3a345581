import { promptOf, type PromptOptions } from "../eval/questions/prompt_ids.ts";
import type { Task } from "../eval/task.ts";
import { checkContext, maxNewTokens } from "../model/generation/check_context.ts";
import type { ThinkingRules } from "../model/generation/thinking_text.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { Trainable } from "../model/transformer/params.ts";
import type { Model } from "../model/transformer/transformer.ts";
import type { Learners } from "./cluster/learners.ts";
import { createShardedOptimizer, type ShardedOptimizer } from "./cluster/sharded_optimizer.ts";
import type { AdvantageKind } from "./advantage.ts";
import type { Behind } from "./behind.ts";
import { createLike, createOptimizer, type Optimizer, type OptimizerSettings } from "./optimizer.ts";
import type { Reward } from "./reward.ts";
import type { RolloutSource } from "./rollout_source.ts";
import type { UpdatePart } from "./update_part.ts";
import type { WorkersTimed } from "./workers/worker_time.ts";

/** Settings of the updates. */
export interface TrainSettings extends OptimizerSettings {
  /** B, questions an update. */
  questions: number;
  /** G, rollouts a question. */
  group: number;
  /** Of data order and all draws. */
  seed: number;
  /** Bound on the norm of dL/dz at one thinking position; 0 for none. */
  clipStep: number;
  /** How rewards become advantages; leave-one-out (rloo), the method's, if left out. */
  advantage?: AdvantageKind;
  /** Rollouts come in pairs with opposite noise; no if left out. The way of thinking draws them so. */
  antithetic?: boolean;
  /** Weight on the entropy of the actions' token distributions; none if left out. */
  entropyBonus?: number;
  /** Questions whose rollouts all earn the same are replaced by others, at most so many times an update; never if left out. */
  refill?: number;
  /** Weight on the thinking term; 1 is the method. */
  thinkingWeight: number;
  /** Keep block inputs only and compute the rest again in the backward pass. */
  recompute: boolean;
  /** Rows of a micro-batch: memory as a setting. */
  microRows: number;
  /** Every how many updates, and in the first, some rollouts are kept; 0 or left out for never. */
  sampleEvery?: number;
  /** Groups of such an update that are kept, the first ones; 1 if left out. */
  sampleGroups?: number;
  /** Every how many updates, and in the first, more is measured: divergence from the base, parts of the gradient; 0 or left out for never. */
  diagnoseEvery?: number;
  /** Updates that the weights are old which rollouts are made with; 0, on-policy, if left out. A trainer of more has them `behind` it. */
  staleness?: number;
  /** Each of several learners keeps a share of the moments alone; all of them if left out. */
  shardOptimizer?: boolean;
}

/** What diagnosing an update takes. */
export interface Diagnosis {
  /** The policy is compared with it: the model without its adapter, or in full training the model that the run began from. */
  base: Model;
  /** A second gradient: first that of the update before, then that of the thinking term alone. */
  spare: Trainable;
}

/** Whether an update, counted from 1, is one of those that are diagnosed. */
export const isDiagnosed = (
  { diagnoseEvery = 0 }: Pick<TrainSettings, "diagnoseEvery">,
  step: number,
): boolean => diagnoseEvery > 0 && (step === 1 || step % diagnoseEvery === 0);

/** Whether rollouts of an update, counted from 1, are kept. */
export const isSampled = ({ sampleEvery = 0 }: TrainSettings, step: number): boolean =>
  sampleEvery > 0 && (step === 1 || step % sampleEvery === 0);

/** All that one update reads and writes. */
export interface Trainer {
  /** Updated in place: its adapter where it has one, else all its weights. */
  model: Model;
  /** Its tokenizer. */
  tokenizer: Tokenizer;
  /** Asks and grades. */
  task: Task;
  /** How steps of thinking are taken. */
  thinking: Thinking;
  /** When thinking and answer end. */
  rules: ThinkingRules;
  /** Of the updates. */
  settings: TrainSettings;
  /** Where rollouts come from: with `behind`, from the oldest weights that it has. */
  source: RolloutSource;
  /** How the source puts questions; plainly where it is left out. */
  prompt?: PromptOptions;
  /** What counts, as the source weighs it; the task's own grade where it is left out. */
  rewards?: readonly Reward[];
  /** Zeroed at the start of each update: until then that of the last one. */
  grads: Trainable;
  /** Moments, all or a learner's share of them, and the last gradient's norm. */
  optimizer: Optimizer | ShardedOptimizer;
  /** Whom it trains with; alone where it is left out. */
  learners?: Learners;
  /** Workers that make its rollouts, if there are some. */
  workers?: WorkersTimed;
  /** Where some updates are diagnosed. */
  diagnosis?: Diagnosis;
  /** Where rollouts are some updates old: the weights of these updates. */
  behind?: Behind;
  /** Called as an update goes on. */
  onPart?: (part: UpdatePart) => void;
}

/** The model that makes the rollouts of the next update. */
export const actorOf = ({ model, behind }: Pick<Trainer, "model" | "behind">): Model =>
  behind?.models.at(-1) ?? model;

/**
 * A trainer with zeroed gradients and moments.
 * @throws Error if rollouts are to be old and cannot be
 * @param base in a full training that is diagnosed, the model that the run began from
 */
export function createTrainer(
  parts: Omit<Trainer, "grads" | "optimizer" | "diagnosis">,
  base?: Model,
): Trainer {
  const { model, behind, thinking, settings: { staleness = 0 } } = parts;
  if (staleness !== (behind?.models.length ?? 0) || staleness > 0 && !thinking.hasRatio) {
    throw new Error(
      `Cannot train ${thinking.name} thinking on rollouts that are ${staleness} updates old: the weights of as many updates ` +
        "and a way of thinking with a ratio of densities are needed",
    );
  }
  const { gpu, config } = model;
  const gradients = () => createLike(model, "gradient");
  return {
    ...parts,
    grads: (parts.learners?.size ?? 1) > 1 ? gpu.arena.lendable(gradients) : gradients(),
    optimizer: parts.learners && parts.settings.shardOptimizer
      ? createShardedOptimizer(gpu, model.adapter?.params ?? model.params, parts.learners)
      : createOptimizer(gpu, config, model.adapter),
    ...(parts.settings.diagnoseEvery ? { diagnosis: diagnosisOf(model, base) } : {}),
  };
}

/**
 * Holds the rollouts of the first update against the model's context: better before a run begins than in it.
 * @throws UserError if they would be longer
 */
export async function checkFirstPrompts(
  trainer: Pick<Trainer, "model" | "tokenizer" | "task" | "rules" | "prompt" | "settings">,
): Promise<void> {
  const { model, tokenizer, task, rules, prompt } = trainer;
  const prompts = await Promise.all(
    questionsOf(trainer, 1).map(({ question }) => promptOf(tokenizer, task, question, prompt)),
  );
  checkContext(model, Math.max(...prompts.map(({ ids }) => ids.length)), maxNewTokens(rules));
}

/**
 * What diagnosing takes.
 * @param given the model that a full training began from
 * @throws Error if it is missing in a full training
 */
export function diagnosisOf(model: Model, given: Model | undefined): Diagnosis {
  const base = model.adapter ? { ...model, adapter: undefined } : given;
  if (!base) throw new Error("Cannot diagnose a full training: the model that it began from is needed");
  return { base, spare: createLike(model, "spare gradient") };
}

// Further from the first than any run goes; the order has 2^32 places, of which 64 attempts take half.
const REFILL = 2 ** 25;

/**
 * The data order follows from seed and step: a resumed run needs no state for it.
 * @param attempt questions that replace others are taken from another part of the order, one for each attempt
 */
export function questionsOf(
  { task, settings }: Pick<Trainer, "task" | "settings">,
  step: number,
  attempt = 0,
) {
  const { questions, seed } = settings;
  const first = attempt * REFILL + (step - 1) * questions;
  return Array.from({ length: questions }, (_, b) => task.question("train", seed, first + b));
}
