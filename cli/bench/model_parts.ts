import { mixesVocabulary } from "../../model/thinking/thinking.ts";
import { wayOfThinking } from "../../model/thinking/ways.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { attentionFlops, blockFlops, headFlops, rolloutFlops } from "../../model/transformer/flops.ts";
import { generate } from "../../model/generation/generate.ts";
import type { GenerateRequest } from "../../model/generation/rollout.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { updateFlops } from "../../rl/update_flops.ts";
import type { Measurement } from "./measure.ts";
import { madeUpGroups, repeatedUpdate } from "./repeated_update.ts";
import { sumsPrompts } from "./sums_prompts.ts";

/** What is measured of a model: it may be one of random weights. */
export type MeasuredModel = Pick<FoundModel, "model" | "tokenizer" | "embeddingRms">;

const KINDS = ["hard", "soft", "fuzzy"] as const;

/** Prefill of one long prompt, and decoding step by step at batches of 1, 8 and 64. */
export function generationMeasurements(found: MeasuredModel): Measurement[] {
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
    ...[1, 8, 64].map((batch): Measurement => ({
      name: `decode at batch ${batch}, ${steps} tokens`,
      run: () => continueText(found, 16, batch, steps),
      flops: batch * steps * (blockFlops(config) + headFlops(config)) +
        batch * attentionFlops(config, 16, steps),
      tokens: batch * steps,
    })),
  ];
}

/** Rollouts of the embedded task's first questions in each way of thinking; they take turns, so that ratios hold. */
export function rolloutMeasurements(found: MeasuredModel, thinkingTokens: number): Measurement[] {
  const { model, tokenizer, embeddingRms } = found;
  const [questions, group, answerTokens] = [2, 16, 4];
  const prompts = sumsPrompts(tokenizer, questions);
  const rules = thinkingRules(tokenizer, {
    maxThinking: thinkingTokens,
    maxAnswer: answerTokens,
    endTokenIds: [],
  });
  return KINDS.map((kind): Measurement => {
    const thinking = wayOfThinking(kind, { greedy: false, gamma: 0.33, embeddingRms });
    let flops = 0;
    let tokens = 0;
    const measurement: Measurement = {
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
            mixesVocabulary(thinking),
          );
          tokens += thought.length + answer.length;
        }
      },
    };
    // Known after the first run: where the texts end is the model's choice, the same in every repetition.
    Object.defineProperties(measurement, {
      flops: { get: () => flops, enumerable: true },
      tokens: { get: () => tokens, enumerable: true },
    });
    return measurement;
  });
}

/** The update of 2 x 16 soft rollouts of equal length: objective, backward pass and optimizer, with full weights. */
export function updateMeasurement(
  { model, tokenizer, embeddingRms }: MeasuredModel,
  thinkingTokens: number,
): Measurement {
  const { gpu, config } = model;
  const [questions, group] = [2, 16];
  const rollouts = questions * group;
  const hidden = gpu.arena.create([rollouts, thinkingTokens, config.hiddenSize], "f32", "hidden");
  const prompts = sumsPrompts(tokenizer, questions);
  const groups = madeUpGroups(prompts, group, () => thinkingTokens, config.usedVocabSize);
  const thinking = wayOfThinking("soft", { greedy: false, gamma: 0.33, embeddingRms });
  const update = repeatedUpdate(model, groups, thinking, hidden);
  return {
    name: `update on ${rollouts} soft rollouts`,
    flops: updateFlops(config, [groups], true),
    run: async () => void await update.record()(),
  };
}

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
  { model, tokenizer }: MeasuredModel,
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
