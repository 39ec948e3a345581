import { choose } from "../../gpu/ops/choose/choose.ts";
import { filter, type Filters } from "../../gpu/ops/choose/filter.ts";
import { drawTokens } from "../../gpu/ops/few/few_tokens.ts";
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
  untrained("soft-thinking", tau, filters, () => {});

/**
 * Mixture of inputs, without training (arXiv 2505.14827): a token y is drawn from p, and the next row leans on it the more, the surer the model is
 * ({@link blendToken}). For evaluation alone.
 */
export const mixtureOfInputs = (tau: number, filters: Filters, beta: number): Thinking =>
  untrained(
    "mixture-of-inputs",
    tau,
    filters,
    ({ model: { gpu, config }, z, info, shift, record, seed, step }) => {
      using scratch = gpu.arena.scratch();
      const [rows] = z.shape;
      const drawn = {
        ids: scratch.u32([rows, 1], "drawn tokens"),
        values: scratch.f32([rows, 1], "their weights"),
      };
      const at = { info, shift, key: keyOf({ seed, step }, Domain.tokens) };
      drawTokens(gpu, z, config.usedVocabSize, at, record, drawn);
      blendToken(gpu, z, config.usedVocabSize, { ...drawn.ids, shape: [rows] }, beta);
    },
  );

/** A mixture of the filtered vocabulary, its weights p changed by `blend`. */
function untrained(
  name: string,
  tau: number,
  filters: Filters,
  blend: (input: StepInput) => void,
): Thinking {
  return {
    name,
    tau,
    continuous: true,
    leaves: "weights",
    sigma: 0,
    step(input) {
      const { model, z, info, shift, record, chosen, next, fed, seed, step } = input;
      const { gpu, config, params } = model;
      const key = keyOf({ seed, step }, Domain.noise);
      filter(gpu, z, config.usedVocabSize, tau, filters);
      choose(gpu, "mixture", z, config.usedVocabSize, tau, info, shift, record, chosen, key);
      blend(input);
      using scratch = gpu.arena.scratch();
      const row = scratch.f32(next.shape, "mixture");
      matmulNN(gpu, z, params.embedding, row, { sparse: true });
      addNoise(gpu, row, 0, { info, shift, key }, next, fed, record.column);
    },
    score() {
      throw new Error(`Cannot train ${name}: it is a way of evaluating alone`);
    },
  };
}
