import { promptIds } from "../eval/prompt_ids.ts";
import type { Grade, Question, Task } from "../eval/task.ts";
import type { Scratch } from "../gpu/arena.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { generate, type Rollout } from "../model/generate.ts";
import { generatedText, type ThinkingRules } from "../model/thinking_text.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { Model } from "../model/transformer.ts";

/** A rollout with its verdict. */
export interface GradedRollout {
  /** What was generated. */
  rollout: Rollout;
  /** What it is worth. */
  grade: Grade;
}

/** All rollouts of one question. */
export interface RolloutGroup {
  /** What was asked. */
  question: Question;
  /** Ids of the prompt. */
  prompt: number[];
  /** G of them. */
  rollouts: GradedRollout[];
}

/** The rollouts of one step. */
export interface RolloutBatch {
  /** One a question. */
  groups: RolloutGroup[];
  /** [slots, steps, d]: rows that continuous thinking fed; it lives as long as the step's scratch. */
  hidden: Tensor;
  /** Time of the two phases. */
  seconds: { generate: number; grade: number };
}

/** Where a step's rollouts come from: this process, or later a queue of workers. */
export interface RolloutSource {
  /** Rollouts of one update's questions; `scratch` keeps `hidden`. */
  rollouts(step: number, questions: readonly Question[], scratch: Scratch): Promise<RolloutBatch>;
}

/** What a local source needs. */
export interface LocalRollouts {
  /** The model in training. */
  model: Model;
  /** Its tokenizer. */
  tokenizer: Tokenizer;
  /** Writes prompts, grades answers. */
  task: Task;
  /** How steps of thinking are taken. */
  thinking: Thinking;
  /** When thinking and answer end. */
  rules: ThinkingRules;
  /** G, rollouts of a question. */
  group: number;
  /** Of all draws. */
  seed: number;
}

/** Rollouts made in this process by the model that is being trained: strictly on-policy. */
export function localRollouts(source: LocalRollouts): RolloutSource {
  const { model, tokenizer, task, thinking, rules, group, seed } = source;
  return {
    async rollouts(step, questions, scratch) {
      const started = performance.now();
      const prompts = questions.map(({ question }) => promptIds(tokenizer, task.prompt(question)));
      const batch = await generate(model, tokenizer, {
        prompts,
        group,
        thinking,
        rules,
        answerTau: 1,
        rolloutIds: Uint32Array.from({ length: prompts.length * group }, (_, i) => i),
        seed,
        step,
      }, scratch);
      const generated = performance.now();
      const groups = questions.map((question, b): RolloutGroup => ({
        question,
        prompt: prompts[b],
        rollouts: batch.rollouts.slice(b * group, (b + 1) * group).map((rollout) => ({
          rollout,
          grade: task.grade(question.gold, generatedText(tokenizer, rollout.answer, rules)),
        })),
      }));
      const seconds = {
        generate: (generated - started) / 1000,
        grade: (performance.now() - generated) / 1000,
      };
      return { groups, hidden: batch.hidden, seconds };
    },
  };
}
