import { createGrader } from "../../eval/grader.ts";
import { wayOfThinking } from "../../eval/modes.ts";
import { promptOptions } from "../../eval/questions/prompt_ids.ts";
import { openTask } from "../../eval/tasks/open_task.ts";
import type { Task } from "../../eval/task.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { findModel } from "../../model/files/find_model.ts";
import { createHalfCopy } from "../../model/weights/half_copy.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { planWeights } from "../../model/weights/weight_types.ts";
import { loadRewards } from "../../rl/reward.ts";
import { localRollouts } from "../../rl/local_rollouts.ts";
import type { RunState } from "../../rl/run/run_state.ts";
import { createTrainer, type Trainer } from "../../rl/trainer.ts";
import { promptTokensOf } from "../../rl/memory/training_shape.ts";
import type { Values } from "../settings/setting.ts";
import { refuseTooLarge, trainingShape } from "./refuse_too_large.ts";
import { prepareAdapter, weightsInTraining } from "./train_adapter.ts";
import type { trainSettings } from "./train_settings.ts";

type TrainValues = Values<typeof trainSettings>;

/** A trainer with what it needs around it. */
export interface PreparedTraining extends Disposable {
  trainer: Trainer;
  /** Of a run that has not begun. */
  state: RunState;
}

/**
 * A trainer for the model that the run starts from, or for the checkpoint that it goes on from.
 * @throws UserError if the model, the task or a reward cannot be used, or the thinking cannot be trained
 */
export async function prepareTraining(
  gpu: Gpu,
  values: TrainValues,
  checkpoint: string | undefined,
): Promise<PreparedTraining> {
  const weights = weightsInTraining(values);
  const rewards = await loadRewards(values.reward ?? []);
  const task = await openTask(values.task, {
    data: values.data,
    split: "train",
    seed: values.seed,
    validation: values.validationQuestions,
  });
  await checkMemory(gpu, values, checkpoint ?? values.model, task);
  const adapter = checkpoint === undefined ? values.adapter : undefined;
  const found = await findModel(gpu, checkpoint ?? values.model, { adapter, weights });
  const { model, tokenizer, embeddingRms } = found;
  if (values.lora) prepareAdapter(found, values);
  const { thinking: kind, gamma, tau, maxThinking, answerTokens, group, seed } = values;
  const thinking = wayOfThinking(kind, { greedy: false, gamma, embeddingRms, tau });
  if (thinking.continuous && thinking.sigma === 0) {
    throw new UserError(
      `Cannot train ${kind} thinking with --gamma 0: without noise there is nothing to learn from`,
    );
  }
  const endTokenIds = model.config.eosTokenIds;
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer: answerTokens, endTokenIds });
  const grader = createGrader(task);
  const prompt = promptOptions(tokenizer, values);
  const copy = values.rolloutWeights === "f16" ? createHalfCopy(model) : undefined;
  const source = localRollouts({
    model: copy?.model ?? model,
    refresh: copy?.refresh,
    tokenizer,
    task,
    thinking,
    rules,
    group,
    seed,
    prompt,
    grader,
    rewards,
  });
  const lr = values.lora ? values.loraLr : values.lr;
  const optimizer = { ...values, lr, eps: 1e-8, clipStep: values.clipStep ?? 0 };
  const trainer = createTrainer({
    model,
    tokenizer,
    task,
    thinking,
    rules,
    settings: optimizer,
    source,
    prompt,
    rewards,
  });
  const kernels = {
    adapter: gpu.adapter.name,
    matmulFamily: gpu.matmulFamily,
    subgroupSize: gpu.subgroupSize,
  };
  const state = { step: 0, best: null, embeddingRms, forcedIds: rules.forcedIds, kernels };
  return { trainer, state, [Symbol.dispose]: () => grader.close() };
}

/** Asks for the memory of the updates before a weight is loaded. */
async function checkMemory(gpu: Gpu, values: TrainValues, name: string, task: Task): Promise<void> {
  using files = openModelFiles(name);
  const { config, tokenizer } = files;
  const { types } = planWeights(config, files.weights, weightsInTraining(values), name);
  const prompt = promptOptions(tokenizer, values);
  const rules = thinkingRules(tokenizer, {
    ...{ maxThinking: values.maxThinking, maxAnswer: values.answerTokens, endTokenIds: [] },
  });
  const shape = trainingShape(values, {
    ...promptTokensOf({ tokenizer, task, prompt, settings: values }),
    forcedTokens: rules.forcedIds.triggerAndBox.length,
    types,
  });
  await refuseTooLarge(gpu, config, name, shape);
}

/** Holds what a checkpoint was made with against what is there now. */
export function compareStates(
  saved: RunState,
  now: RunState,
  folder: string,
  say: (line: string) => void,
): void {
  if (JSON.stringify(saved.forcedIds) !== JSON.stringify(now.forcedIds)) {
    throw new UserError(
      `Cannot resume ${folder}: its tokenizer writes the forced texts in other tokens than before`,
    );
  }
  if (JSON.stringify(saved.kernels) !== JSON.stringify(now.kernels)) {
    say(
      `warning  the run was made on ${saved.kernels.adapter}: from here on its numbers will differ in the last bits`,
    );
  }
}
