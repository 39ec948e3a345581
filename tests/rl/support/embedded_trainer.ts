import { assert } from "@std/assert";
import { evaluate } from "../../../eval/evaluate.ts";
import { pairedChange } from "../../../eval/measures/pass_at_k.ts";
import type { Mode } from "../../../eval/modes.ts";
import { wayOfThinking } from "../../../model/thinking/ways.ts";
import { sums } from "../../../eval/tasks/sums.ts";
import type { FoundModel } from "../../../model/files/find_model.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import type { Trainer } from "../../../rl/trainer.ts";
import { localTrainer } from "./local_trainer.ts";
import { trainSettings } from "./train_settings.ts";

const GAMMA = 0.5;

/** A training of the embedded model, or of its adapter, on the embedded task, as the recipes have it. */
export function embeddedTrainer(
  { model, tokenizer, embeddingRms }: FoundModel,
  kind: "hard" | "soft",
  lr: number,
  steps: number,
): Trainer {
  const thinking = wayOfThinking(kind, { greedy: false, gamma: GAMMA, embeddingRms });
  const { maxThinking, answerTokens: maxAnswer } = sums.limits;
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds: model.config.eosTokenIds });
  const settings = trainSettings({ questions: 8, group: 16, lr, steps, warmup: 5, finalLr: 0.1 });
  return localTrainer({ model, tokenizer, task: sums, thinking, rules, settings });
}

/** The share of right answers to each of 256 test questions in one mode. */
export async function solved({ model, tokenizer, embeddingRms }: FoundModel, mode: Mode): Promise<number[]> {
  const [result] = await evaluate(model, tokenizer, sums, {
    stream: "test",
    seed: 1,
    questions: 256,
    modes: [mode],
    gamma: GAMMA,
    embeddingRms,
    samples: 1,
  });
  return result.questions.map(({ correct, samples }) => correct / samples);
}

/** Fails unless the answers to the same questions got better by more than three standard errors. */
export function assertRise(before: readonly number[], after: readonly number[]): void {
  const { value, standardError } = pairedChange(before, after);
  const told = `change ${value.toFixed(3)} with standard error ${standardError.toFixed(3)}`;
  assert(value > 3 * standardError, told);
}
