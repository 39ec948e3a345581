import { choose } from "../../gpu/ops/choose/choose.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { addNoise, noiseBackward, noiseMismatch, noiseRatioBackward } from "../../gpu/ops/mixture/noise.ts";
import { mixtureBackward } from "../../gpu/ops/mixture/mixture_backward.ts";
import { Domain } from "../../gpu/random.ts";
import { sizeOf } from "../../gpu/tensor.ts";
import { MOST_RATIO } from "./importance.ts";
import { keyOf, noiseSize, type Thinking } from "./thinking.ts";

/**
 * Soft and fuzzy tokens (method sections 2 and 3): the next row is m + sigma eps, m = softmax(z / tau) E, a Gaussian
 * action whose gradient on m is eps / sigma, from the recorded noise. Where older weights made the row it is (h - m) / sigma^2, h being the row,
 * times the truncated ratio of densities (method section 10). sigma 0 is the greedy form: no action, no gradient.
 * @param antithetic rollouts 2 i and 2 i + 1 think with opposite noise
 */
export function gaussianThinking(
  name: "soft" | "fuzzy",
  tau: number,
  sigma: number,
  antithetic = false,
): Thinking {
  return {
    name,
    tau,
    continuous: true,
    leaves: "weights",
    sigma,
    step({ model, z, info, shift, record, chosen, next, fed, seed, step }) {
      const key = keyOf({ seed, step }, Domain.noise);
      const { gpu, config, params } = model;
      choose(gpu, "mixture", z, config.usedVocabSize, tau, info, shift, record, chosen, key);
      using scratch = gpu.arena.scratch();
      const m = scratch.f32(next.shape, "mixture");
      matmulNN(gpu, z, params.embedding, m, { sparse: true });
      addNoise(gpu, m, sigma, { info, shift, key, antithetic }, next, fed, record.column);
    },
    ...(sigma > 0 ? { noise: (input) => noiseSize(input, input.model.config.hiddenSize, antithetic) } : {}),
    hasRatio: true,
    score(input) {
      const { model, z, weights, fed, info, seed, step, grads, measured, stats, older } = input;
      if (sigma === 0) throw new Error("Cannot score noiseless thinking: it has no density");
      const { gpu, config, params } = model;
      const at = { info, shift: 0, key: keyOf({ seed, step }, Domain.noise), antithetic };
      using scratch = gpu.arena.scratch();
      const g = scratch.f32(fed.shape, "d mixture");
      const u = input.scratch.f32(z.shape, "d logits");
      const m = older ? scratch.f32(fed.shape, "mixture") : g;
      if (older) {
        // The density needs the mixture before the gradient does: its weights are made once more, and what that leaves in u counts for nothing.
        const p = scratch.f32(z.shape, "mixture weights");
        gpu.commands.copy(z, 0, p, 0, sizeOf(z.shape));
        mixtureBackward(gpu, p, u, config.usedVocabSize, tau, 0, stats);
        matmulNN(gpu, p, params.embedding, m, { sparse: true });
        const rows = { m, h: fed, weight: weights, sigma, bound: MOST_RATIO };
        noiseRatioBackward(gpu, rows, at, g, older.logRatio);
      } else noiseBackward(gpu, weights, sigma, at, g);
      matmulNT(gpu, g, params.embedding, u);
      mixtureBackward(gpu, z, u, config.usedVocabSize, tau, input.clipStep, stats);
      if (grads.embedding) matmulTN(gpu, z, g, grads.embedding, { accumulate: true });
      if (!older) matmulNN(gpu, z, params.embedding, m, { sparse: true });
      noiseMismatch(gpu, m, fed, sigma, at, measured);
      return { logits: u };
    },
  };
}
