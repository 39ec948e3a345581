import type { Task } from "../../../eval/task.ts";
import { sums } from "../../../eval/tasks/sums.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import type { Thinking } from "../../../model/thinking/thinking.ts";
import { freeParams, type Trainable } from "../../../model/transformer/params.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import type { HalfCopy } from "../../../model/weights/half_copy.ts";
import { type Behind, createBehind, freeBehind } from "../../../rl/behind.ts";
import type { Trainer, TrainSettings } from "../../../rl/trainer.ts";
import type { SharedJobs } from "../../../rl/workers/share_jobs.ts";
import { tokenizer } from "../../model/support/small_models.ts";
import { localTrainer } from "./local_trainer.ts";
import { trainSettings } from "./train_settings.ts";

/** Few and short rollouts, in several micro-batches, at a rate that changes every weight. */
export const SMALL_TRAINING: TrainSettings = trainSettings({
  ...{ questions: 3, group: 4, steps: 10, seed: 11, lr: 1e-2, microRows: 150 },
});

/** Sums whose reward an untrained model meets half of the time: its answers differ in length, and even ones are right. */
const EVEN_LENGTHS: Task = {
  ...sums,
  grade: (_gold, text) => {
    const correct = text.length % 2 === 0;
    return { reward: correct ? 100 : 10, correct, answer: text, rule: null };
  },
};

/**
 * A trainer of a small model, by rewards that it meets half of the time.
 *
 * @param copy rollouts are made with it where there is one
 * @param shared who makes them; this process where it is left out
 * @param behind the weights of the last updates, where rollouts are older
 */
export function smallTrainer(
  model: Model,
  thinking: Thinking,
  settings: TrainSettings = SMALL_TRAINING,
  copy?: HalfCopy,
  shared?: SharedJobs,
  behind: Behind | undefined = createBehind(model, settings.staleness ?? 0),
): Trainer {
  const { eosTokenIds: endTokenIds } = model.config;
  const rules = thinkingRules(tokenizer, { maxThinking: 10, maxAnswer: 4, endTokenIds });
  const parts = { model, behind, tokenizer, task: EVEN_LENGTHS, thinking, rules, settings, copy };
  return localTrainer({ ...parts, run: shared?.run, begin: shared?.begin });
}

/** Gives back what a trainer holds beside its model. */
export function freeTrainer(trainer: Trainer): void {
  const { model: { gpu }, grads, optimizer, behind } = trainer;
  for (const set of [grads, ...momentsOf(trainer)]) freeParams(gpu, set);
  gpu.arena.free(optimizer.norm);
  if (behind) freeBehind(behind);
}

/** Both moments of a trainer that has all of them. */
export function momentsOf({ optimizer }: Trainer): [first: Trainable, second: Trainable] {
  if ("places" in optimizer) throw new Error("Cannot take the moments of all weights: they are sharded");
  return [optimizer.first, optimizer.second];
}
