import { wayOfThinking } from "../../eval/modes.ts";
import { promptIds } from "../../eval/questions/prompt_ids.ts";
import { sums } from "../../eval/tasks/sums.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { attentionFlops, blockFlops, headFlops, rolloutFlops } from "../../model/transformer/flops.ts";
import { generate } from "../../model/generation/generate.ts";
import type { GenerateRequest } from "../../model/generation/rollout.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { updateFlops } from "../../rl/update_flops.ts";
import { accumulateGradient } from "../../rl/objective.ts";
import { createOptimizer, optimizerStep } from "../../rl/optimizer.ts";
import type { ScoredGroup } from "../../rl/packed_batch.ts";
import { createParams, zeroParams } from "../../model/transformer/params.ts";
import type { Work } from "./measure.ts";

const KINDS = ["hard", "soft", "fuzzy"] as const;

/** Prefill of one long prompt, and decoding step by step at batches of 1, 8 and 64. */
export function generationWorks(found: FoundModel): Work[] {
  const { config } = found.model;
  const longest = Math.min(512, config.maxPosition - 8);
  const prefill = longest * blockFlops(config) + attentionFlops(config, 0, longest) + headFlops(config);
  const steps = Math.min(32, config.maxPosition - 24);
  return [
    {
      name: `prefill of ${longest} tokens`,
      run: () => continueText(found, longest, 1, 1),
      flops: prefill,
      tokens: longest,
    },
    ...[1, 8, 64].map((batch): Work => ({
      name: `decode at batch ${batch}, ${steps} tokens`,
      run: () => continueText(found, 16, batch, steps),
      flops: batch * steps * (blockFlops(config) + headFlops(config)) +
        batch * attentionFlops(config, 16, steps),
      tokens: batch * steps,
    })),
  ];
}

/** Rollouts of the embedded task's first questions in each way of thinking; they take turns, so that ratios hold. */
export function rolloutWorks(found: FoundModel, thinkingTokens: number): Work[] {
  const { model, tokenizer, embeddingRms } = found;
  const [questions, group, answerTokens] = [2, 16, 4];
  const prompts = promptsOf(found, questions);
  const rules = thinkingRules(tokenizer, {
    maxThinking: thinkingTokens,
    maxAnswer: answerTokens,
    endTokenIds: [],
  });
  return KINDS.map((kind): Work => {
    const thinking = wayOfThinking(kind, { greedy: false, gamma: 0.33, embeddingRms });
    let flops = 0;
    let tokens = 0;
    const work: Work = {
      name: `rollouts, ${kind} thinking, ${questions} x ${group}`,
      run: async () => {
        using scratch = model.gpu.arena.scratch();
        const { rollouts } = await generate(model, tokenizer, {
          ...request(prompts, group),
          thinking,
          rules,
          answerTau: 1,
        }, scratch);
        [flops, tokens] = [0, 0];
        for (const { prompt, thinking: thought, forced, answer } of rollouts) {
          const lengths = {
            shared: group,
            thinking: thought.length,
            forced: forced.length,
            answer: answer.length,
          };
          flops += rolloutFlops(
            model.config,
            { prompt: prompts[prompt].length, ...lengths },
            thinking.continuous,
          );
          tokens += thought.length + answer.length;
        }
      },
    };
    // Known after the first run: where the texts end is the model's choice, the same in every repetition.
    Object.defineProperties(work, {
      flops: { get: () => flops, enumerable: true },
      tokens: { get: () => tokens, enumerable: true },
    });
    return work;
  });
}

/** The update of 2 x 16 soft rollouts of equal length: objective, backward pass and optimizer, with full weights. */
export function updateWork(found: FoundModel, thinkingTokens: number): Work {
  const { model, embeddingRms } = found;
  const { gpu, config } = model;
  const [questions, group] = [2, 16];
  const rollouts = questions * group;
  const hidden = gpu.arena.create([rollouts, thinkingTokens, config.hiddenSize], "f32", "hidden");
  const groups = promptsOf(found, questions).map((prompt, b): ScoredGroup => ({
    prompt,
    rollouts: Array.from({ length: group }, (_, g) => ({
      id: b * group + g,
      index: b * group + g,
      thinking: Array.from({ length: thinkingTokens }, (_, t) => t % config.usedVocabSize),
      forced: [1],
      answer: [1, 2, 3],
      advantage: g % 2 - 0.5,
    })),
  }));
  const grads = createParams(gpu, config, "f32", "gradient");
  const optimizer = createOptimizer(gpu, config);
  return {
    name: `update on ${rollouts} soft rollouts`,
    flops: updateFlops(config, [groups], true),
    run: async () => {
      zeroParams(gpu, grads);
      const fetch = accumulateGradient(model, grads, groups, {
        thinking: wayOfThinking("soft", { greedy: false, gamma: 0.33, embeddingRms }),
        hidden,
        scale: 1 / rollouts,
        seed: 0,
        step: 1,
        clipStep: 0,
        thinkingWeight: 1,
        recompute: false,
      });
      optimizerStep(gpu, model.params, grads, optimizer, FROZEN, 1);
      await fetch();
    },
  };
}

/** All that an optimizer does, with a rate of 0: the weights stay what they are. */
const FROZEN = {
  lr: 0,
  warmup: 0,
  steps: 1,
  finalLr: 1,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
};

const promptsOf = ({ tokenizer }: FoundModel, questions: number): number[][] =>
  Array.from(
    { length: questions },
    (_, b) => promptIds(tokenizer, sums.prompt(sums.question("train", 0, b).question)),
  );

const request = (prompts: number[][], group: number): Pick<
  GenerateRequest,
  "prompts" | "group" | "rolloutIds" | "seed" | "step"
> => ({
  prompts,
  group,
  rolloutIds: Uint32Array.from({ length: prompts.length * group }, (_, i) => i),
  seed: 0,
  step: 1,
});

async function continueText(
  { model, tokenizer }: FoundModel,
  promptTokens: number,
  batch: number,
  steps: number,
): Promise<void> {
  const prompt = Array.from({ length: promptTokens }, (_, i) => (7 * i + 3) % model.config.usedVocabSize);
  using scratch = model.gpu.arena.scratch();
  await generate(model, tokenizer, {
    ...request([prompt], batch),
    thinking: wayOfThinking("hard", { greedy: true, gamma: 0, embeddingRms: 1 }),
    rules: thinkingRules(tokenizer, { maxThinking: steps, maxAnswer: 1, endTokenIds: [] }),
    answerTau: 0,
    plain: true,
  }, scratch);
}
