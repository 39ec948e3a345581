import { promptOf } from "../../eval/questions/prompt_ids.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import type { GenerationShape } from "../../model/memory/generation_memory.ts";
import type { WeightTypes } from "../../model/transformer/params.ts";
import type { Trainer } from "../trainer.ts";

/** What decides how much memory a training takes. */
export interface TrainingShape extends Omit<GenerationShape, "prompts" | "atOnce"> {
  /** B. */
  questions: number;
  /** Most rows of a micro-batch. */
  microRows: number;
  recompute: boolean;
  /** Further draws of an update, for groups whose rewards do not differ; none where it is left out. */
  refill?: number;
  /** Weight on the entropy of the actions' distributions: whether there is one takes part in memory. */
  entropyBonus?: number;
  /** Rank of the adapter; a full training where it is left out. */
  rank?: number;
  /** Types of the weights that an adapter is trained on; f32 where they are left out, and in a full training. */
  types?: WeightTypes;
  /** Type of the weights that rollouts are made with: `f16` is a second set. */
  rolloutWeights?: "f32" | "f16";
  /** Updates that rollouts are old: the weights of as many are held. None if left out. */
  staleness?: number;
  /** Above 0 rollouts of some updates are looked at again, this many groups of them. */
  sampleEvery?: number;
  /** See there. */
  sampleGroups?: number;
  /** Above 0 some updates are diagnosed: a second gradient is held, and in a full training the model that the run began from. */
  diagnoseEvery?: number;
  /** Types of that model's weights; f32 where they are left out. */
  baseTypes?: WeightTypes;
  /** Several learners that sum their gradients; `questions` are then those of one. One if left out. */
  learners?: number;
  /** Each of them keeps a share of the moments alone. */
  shardOptimizer?: boolean;
  /** Questions that are answered between updates, so many at once, in each of these ways; none where they are left out. */
  tests?: { questions: number; samples: number; atOnce: number; thinking: readonly Thinking[] };
}

// Questions whose prompts are made for their lengths; those of later steps are hardly longer.
const QUESTIONS = 64;

/** Lengths of the prompts that a training begins with. */
export async function promptTokensOf(
  { tokenizer, task, prompt, settings: { seed, questions } }:
    & Pick<Trainer, "tokenizer" | "task" | "prompt">
    & { settings: { seed: number; questions: number } },
): Promise<Required<Pick<TrainingShape, "promptTokens" | "meanPromptTokens">>> {
  const lengths = await Promise.all(Array.from(
    { length: Math.max(QUESTIONS, questions) },
    async (_, i) => {
      const { question } = task.question("train", seed, i);
      return (await promptOf(tokenizer, task, question, prompt)).ids.length;
    },
  ));
  const sum = lengths.reduce((sum, length) => sum + length, 0);
  return { promptTokens: Math.max(...lengths), meanPromptTokens: sum / lengths.length };
}
