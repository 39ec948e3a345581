import { createGrader } from "../../eval/grader.ts";
import { promptOptions } from "../../eval/questions/prompt_ids.ts";
import { openTask } from "../../eval/tasks/open_task.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { findWatched } from "../terminal/find_watched.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { addAdapter } from "../../model/transformer/adapter.ts";
import { contextOf } from "../../model/transformer/transformer.ts";
import { createHalfCopy } from "../../model/weights/half_copy.ts";
import { ALONE, type Learners } from "../../rl/cluster/learners.ts";
import { localRollouts } from "../../rl/local_rollouts.ts";
import { loadRewards } from "../../rl/reward.ts";
import { freshState, readState, type RunState } from "../../rl/run/run_state.ts";
import { createBehind } from "../../rl/behind.ts";
import { actorOf, checkFirstPrompts, createTrainer, type Trainer } from "../../rl/trainer.ts";
import type { WorkerPool } from "../../rl/workers/worker_pool.ts";
import { checkMemory, type PlannedTraining } from "./check_memory.ts";
import { fittingTask, roomIn } from "./fitting_task.ts";
import { refuseOneQuestion } from "./test_modes.ts";
import { refuseTooFew } from "./refuse_rollouts.ts";
import { type SharedTraining, shareTraining } from "./share_training.ts";
import { thinkingInTraining } from "./thinking_in_training.ts";
import type { TrainValues } from "./train_settings.ts";
import { weightsInTraining } from "./weights_in_training.ts";

/** A trainer with what it needs around it. */
export interface PreparedTraining extends Disposable {
  trainer: Trainer;
  /** Of a run that has not begun. */
  state: RunState;
  /** What its memory was asked for by. */
  planned: PlannedTraining;
  /** Where workers make rollouts. */
  shared?: SharedTraining;
  /** Training questions that are left out or cut, since their prompts are too long. */
  long: number;
  /** SHA-256 of the weights that it starts from. */
  hash: () => string;
}

/** Who takes part in a training. */
export interface TrainingParts {
  learners?: Learners;
  /** Each of several learners keeps a share of the moments. */
  shardOptimizer?: boolean;
  /** Workers that make rollouts. */
  pool?: WorkerPool;
  /** Say nothing of how far the model is loaded. */
  quiet?: boolean;
}

/**
 * A trainer for the model that the run starts from, or for the checkpoint that it goes on from: data, model, way of
 * thinking, rollouts, updates.
 * @throws UserError if the model, the task or a reward cannot be used, or the thinking cannot be trained
 */
export async function prepareTraining(
  gpu: Gpu,
  values: TrainValues,
  checkpoint: string | undefined,
  { learners = ALONE, shardOptimizer = false, pool, quiet = true }: TrainingParts = {},
): Promise<PreparedTraining> {
  const weights = weightsInTraining(values);
  const rewards = await loadRewards(values.reward ?? []);
  const opened = await openTask(values.task, {
    data: values.data,
    split: "train",
    seed: values.seed,
    validation: values.validationQuestions,
  });
  refuseOneQuestion(opened, values);

  const start = checkpoint ?? values.model;
  const { task, long } = await fittingTask(opened, start, values);
  const baseName = nameOfBase(values, checkpoint);
  refuseTooFew(values, learners);
  const planned = { name: start, task, baseName, learners: learners.size, shardOptimizer };
  await checkMemory(gpu, values, planned);
  const adapter = checkpoint === undefined ? values.adapter : undefined;
  const found = await findWatched(gpu, start, { adapter, weights }, { quiet });
  if (values.lora) prepareAdapter(found, values);
  const { model, tokenizer, embeddingRms } = found;

  const { maxThinking, answerTokens, group, seed } = values;
  const thinking = thinkingInTraining(values, embeddingRms);
  const endTokenIds = model.config.eosTokenIds;
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer: answerTokens, endTokenIds });
  const room = roomIn(contextOf(model), rules, values);
  const prompt = { ...promptOptions(tokenizer, values), room };
  const grader = createGrader(task);
  const parts = { tokenizer, task, thinking, rules, prompt, rewards };
  const behind = createBehind(model, values.staleness);
  const actor = actorOf({ model, behind });
  const copy = values.rolloutWeights === "f16" ? createHalfCopy(actor) : undefined;
  const shared = pool && shareTraining(pool, { model, behind }, start, values, learners.rank);
  const source = localRollouts({
    ...parts,
    model: copy?.model ?? actor,
    refresh: copy?.refresh,
    ...{ group, seed, grader, run: shared?.jobs.run, begin: shared?.jobs.begin },
  });

  const lr = values.lora ? values.loraLr : values.lr;
  const settings = { ...values, lr, eps: 1e-8, clipStep: values.clipStep ?? 0, shardOptimizer };
  // Held as its file has it: results are those of f32, to the bit, so that nothing diverges before anything has moved.
  const base = baseName === undefined
    ? undefined
    : await findWatched(gpu, baseName, { weights: "exact" }, { quiet });
  await checkFirstPrompts({ ...parts, model, settings });
  const trainer = createTrainer(
    { ...parts, model, behind, settings, source, learners, workers: pool },
    base?.model,
  );
  const state = freshState(trainer, embeddingRms, base?.base());
  const dispose = () => {
    shared?.[Symbol.dispose]();
    grader.close();
  };
  return { trainer, state, planned, long, shared, hash: found.hash, [Symbol.dispose]: dispose };
}

/** In a full training that is diagnosed, the name of the model that the run began from, which is loaded a second time. */
function nameOfBase({ model, lora, diagnoseEvery }: TrainValues, checkpoint?: string): string | undefined {
  if (lora || diagnoseEvery === 0) return undefined;
  return (checkpoint === undefined ? undefined : readState(checkpoint).base?.name) ?? model;
}

/** Gives a model the adapter that is to be trained, unless it has one, and notes what it is trained on. */
function prepareAdapter(found: FoundModel, { loraRank, loraAlpha, seed }: TrainValues): void {
  const { model } = found;
  const adapter = model.adapter ?? addAdapter(model, { rank: loraRank, alpha: loraAlpha }, seed);
  adapter.base ??= found.base();
}
