import { choose } from "../../gpu/ops/choose/choose.ts";
import { filter, type Filters } from "../../gpu/ops/choose/filter.ts";
import { matmulNN } from "../../gpu/ops/matmul/matmul.ts";
import { addNoise } from "../../gpu/ops/mixture/noise.ts";
import { blendToken } from "../../gpu/ops/mixture/blend_token.ts";
import { Domain } from "../../gpu/random.ts";
import { keyOf, type StepInput, type Thinking } from "./thinking.ts";

/**
 * Soft thinking without training (arXiv 2505.15778): the next row is p^ E over the tokens that the filters leave, renormalised at tau.
 * For evaluation alone: it has no noise, so nothing to learn from.
 */
export const softThinking = (tau: number, filters: Filters): Thinking =>
  untrained("soft-thinking", tau, filters, ({ model, z, info, shift, record, chosen, seed, step }) => {
    const key = keyOf({ seed, step }, Domain.noise);
    choose(model.gpu, "mixture", z, model.config.usedVocabSize, tau, info, shift, record, chosen, key);
  });

/**
 * Mixture of inputs, without training (arXiv 2505.14827): a token y is drawn from p, and the next row leans on it the more, the surer the model is
 * ({@link blendToken}). For evaluation alone.
 */
export const mixtureOfInputs = (tau: number, filters: Filters, beta: number): Thinking =>
  untrained(
    "mixture-of-inputs",
    tau,
    filters,
    ({ model: { gpu, config }, z, info, shift, record, chosen, seed, step }) => {
      const key = keyOf({ seed, step }, Domain.tokens);
      choose(gpu, "sample", z, config.usedVocabSize, tau, info, shift, record, chosen, key);
      using scratch = gpu.arena.scratch();
      // The step's token is the drawn one: what the mixture finds is not recorded.
      const aside = {
        tokens: scratch.u32(record.tokens.shape, "likeliest tokens"),
        stats: scratch.f32(record.stats.shape, "their statistics"),
        column: record.column,
      };
      const likeliest = scratch.u32(chosen.shape, "likeliest tokens");
      choose(gpu, "mixture", z, config.usedVocabSize, tau, info, shift, aside, likeliest, key);
      blendToken(gpu, z, config.usedVocabSize, chosen, beta);
    },
  );

/** A mixture of the filtered vocabulary: `weigh` turns its logits z into the mixture's weights, and records the step. */
function untrained(
  name: string,
  tau: number,
  filters: Filters,
  weigh: (input: StepInput) => void,
): Thinking {
  return {
    name,
    tau,
    continuous: true,
    leaves: "weights",
    sigma: 0,
    step(input) {
      const { model, z, info, shift, record, next, fed, seed, step } = input;
      const { gpu, config, params } = model;
      filter(gpu, z, config.usedVocabSize, tau, filters);
      weigh(input);
      using scratch = gpu.arena.scratch();
      const row = scratch.f32(next.shape, "mixture");
      matmulNN(gpu, z, params.embedding, row, { sparse: true });
      const key = keyOf({ seed, step }, Domain.noise);
      addNoise(gpu, row, 0, { info, shift, key }, next, fed, record.column);
    },
    score() {
      throw new Error(`Cannot train ${name}: it is a way of evaluating alone`);
    },
  };
}
