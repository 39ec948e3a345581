import type { ObservedStep, Rollout } from "../../model/generation/rollout.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { table } from "../terminal/table.ts";

/** A token in a mixture, or one that might have been drawn. */
interface TokenWeight {
  token: string;
  weight: number;
}

/** Follows what thinking steps are made of. */
interface StepWatcher {
  onStep(step: ObservedStep): void;
  /** The heaviest tokens of each step of each rollout. */
  steps(rollouts: readonly Pick<Rollout, "index" | "thinking">[]): Promise<TokenWeight[][][]>;
}

const MOST_TOKENS = 5;
const LEAST_WEIGHT = 5e-4;

/** Reads the mixture (or at hard steps the distribution) of every thinking step, and keeps its heaviest tokens. */
export function createStepWatcher(
  { gpu, config }: Model,
  tokenizer: Tokenizer,
  thinking: Thinking,
): StepWatcher {
  const seen: Promise<TokenWeight[]>[][] = [];
  return {
    onStep({ rows, z }) {
      if (rows.every(({ part }) => part === "answer")) return;
      const bytes = gpu.reader.read(z);
      rows.forEach(({ index, part }, row) => {
        if (part === "answer") return;
        const weights = bytes.then((all) => {
          const values = new Float32Array(all, row * config.vocabSize * 4, config.usedVocabSize);
          return heaviest(
            tokenizer,
            thinking.leaves === "weights" ? values : softmax(values, thinking.tau || 1),
          );
        });
        (seen[index] ??= []).push(weights);
      });
    },
    steps: (rollouts) =>
      Promise.all(
        rollouts.map(({ index, thinking }) => Promise.all((seen[index] ?? []).slice(0, thinking.length))),
      ),
  };
}

/** Steps as lines: number, then tokens and weights. */
export function describeSteps(steps: readonly (readonly TokenWeight[])[]): string {
  const rows = steps.map((tokens, i) => [
    i + 1,
    ...tokens.flatMap(({ token, weight }) => [JSON.stringify(token), weight.toFixed(3)]),
  ]);
  return table(rows, { align: ["right"] });
}

function heaviest(tokenizer: Tokenizer, weights: Float32Array): TokenWeight[] {
  const ids = Array.from(weights.keys()).filter((id) => weights[id] >= LEAST_WEIGHT);
  ids.sort((a, b) => weights[b] - weights[a]);
  return ids.slice(0, MOST_TOKENS).map((id) => ({ token: tokenizer.tokenText(id), weight: weights[id] }));
}

function softmax(logits: Float32Array, tau: number): Float32Array {
  const top = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  const weights = logits.map((value) => Math.exp((value - top) / tau));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
