import type { Gpu } from "../../gpu.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { choose, type StepRecord } from "../choose/choose.ts";
import type { DrawAddress } from "../mixture/noise.ts";
import covarianceCode from "./covariance.wgsl" with { type: "text" };
import dirichletCode from "./dirichlet.wgsl" with { type: "text" };
import { type FewTokens, MOST_FEW } from "./few_tokens.ts";
import largestCode from "./largest.wgsl" with { type: "text" };
import stepCode from "./few_step.wgsl" with { type: "text" };
import gumbelCode from "./gumbel.wgsl" with { type: "text" };
import noisyCode from "./noisy_logits.wgsl" with { type: "text" };

/** How a few tokens are weighed at random; `random` false: without noise. */
export type FewWeighing =
  & { tau: number; random: boolean }
  & (
    | {
      kind: "gumbel";
      /** Of the softmax over noisy ln p^. */
      temperature: number;
      /** `weights`: of the density of the weights; `published`: of that of the noise, clamped, averaged, likely tokens alone. */
      score: "weights" | "published";
    }
    | {
      kind: "dirichlet";
      /** The larger, the nearer the weights are to p^. */
      alpha: number;
    }
    | {
      kind: "covariance";
      /** Size of the noise: 1 has the covariance of a drawn token. */
      eta: number;
      /** `mean`: of the mean alone, a surrogate; `whole`: of the covariance too. */
      score: "mean" | "whole";
    }
    | {
      kind: "noisy_logits";
      /** Standard deviation of the noise, as a multiple of the k logits' root mean square. */
      scale: number;
      /** `mean`: with that deviation taken for a constant, a surrogate; `whole`: its own too. */
      score: "mean" | "whole";
    }
  );

const CODE = {
  gumbel: gumbelCode,
  dirichlet: dirichletCode,
  covariance: covarianceCode,
  noisy_logits: noisyCode,
};
const FIELDS = {
  gumbel: "temperature: f32, published: u32",
  dirichlet: "alpha: f32",
  covariance: "eta: f32",
  noisy_logits: "scale: f32",
};

/**
 * Takes the k likeliest tokens of logits z [rows, width] and weighs them, as `few`; draws are keyed by the tokens' ids. The heaviest token
 * becomes the step's in `record`, whose statistics are those of a greedy `choose`: all this is one dispatch.
 * @param vocab columns that are real tokens
 * @param chosen u32 [rows]: the likeliest tokens
 * @param scores [rows, k]: become d ln pi / dz on the tokens' logits, where they are given
 * @throws Error if k is not 1 to {@link MOST_FEW} and at most `vocab`
 */
export function weighFew(
  gpu: Gpu,
  how: FewWeighing,
  z: Tensor,
  vocab: number,
  { ids, values }: FewTokens,
  { info, shift, key }: DrawAddress,
  record: StepRecord,
  chosen: Tensor,
  scores?: Tensor,
): void {
  const { rows } = asMatrix(z);
  const { cols: k } = asMatrix(ids);
  if (!(k >= 1 && k <= Math.min(MOST_FEW, vocab))) {
    throw new Error(
      `Cannot weigh the ${k} likeliest of ${vocab} tokens: 1 to ${MOST_FEW}, at most all, are possible`,
    );
  }
  for (const one of [ids, values, scores ?? values]) expectShape("weigh few", one, [rows, k]);
  using scratch = gpu.arena.scratch();
  choose(gpu, "greedy", z, vocab, how.tau, info, shift, record, chosen, key, {
    name: `few_${how.kind}`,
    fields: ` k: u32, random: u32, score: u32, ${FIELDS[how.kind]},`,
    code: `const MOST_FEW = ${MOST_FEW};\n${largestCode}\n${stepCode}\n${CODE[how.kind]}`,
    tensors: [ids, values, scores ?? scratch.f32([1], "unused")],
    params: {
      ...{ k, random: how.random ? 1 : 0, score: scores ? scoreNumber(how) : 0 },
      ...constants(how),
    },
  });
}

const scoreNumber = (how: FewWeighing): number => "score" in how && how.score === "whole" ? 2 : 1;

function constants(how: FewWeighing): Record<string, number> {
  if (how.kind === "dirichlet") return { alpha: how.alpha };
  if (how.kind === "covariance") return { eta: how.eta };
  if (how.kind === "noisy_logits") return { scale: how.scale };
  return { temperature: how.temperature, published: how.score === "published" ? 1 : 0 };
}
