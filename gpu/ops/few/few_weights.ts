import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { randomSource } from "../../random.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import type { StepRecord } from "../choose/choose.ts";
import type { DrawAddress } from "../mixture/noise.ts";
import { vocabularyKernel } from "../wgsl/vocabulary.ts";
import covarianceCode from "./covariance.wgsl" with { type: "text" };
import dirichletCode from "./dirichlet.wgsl" with { type: "text" };
import stepCode from "./few_step.wgsl" with { type: "text" };
import gumbelCode from "./gumbel.wgsl" with { type: "text" };
import noisyCode from "./noisy_logits.wgsl" with { type: "text" };

/** Most tokens that a mixture of few has: a lane looks at its part of the largest vocabulary once for each, within the loop limit. */
export const MOST_FEW = 32;

/** What a kernel makes of the tokens: the weights of the step's mixture, or d ln pi / dz on the tokens' logits. */
export type FewOutput = "weights" | "score";

/** How a few tokens are weighed at random; `random` false: without noise. */
export type FewWeighing =
  & { tau: number; random: boolean }
  & (
    | {
      kind: "gumbel";
      /** Of the softmax over noisy ln p^. */
      temperature: number;
      /** `weights`: of the density given the weights alone; `noise`: of that of the noise; `published`: clamped, averaged, likely tokens alone. */
      score: "weights" | "noise" | "published";
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

/** A step's tokens [rows, k], ln of their probabilities among themselves, and what is made of them. */
export interface FewStep {
  /** u32 [rows, k]: descending probability, equal ones by ascending id. */
  ids: Tensor;
  /** [rows, k]: ln of softmax(z / tau) among the k. */
  logp: Tensor;
  /** [rows, k]. */
  out: Tensor;
}

/**
 * Takes the k likeliest tokens of logits z [rows, width] and weighs or scores them; draws are keyed by the tokens' ids. With weights, the
 * heaviest token becomes the step's in `record`.
 * @param vocab columns that are real tokens
 * @throws Error if k is not 1 to {@link MOST_FEW} and at most `vocab`
 */
export function weighFew(
  gpu: Gpu,
  how: FewWeighing,
  what: FewOutput,
  z: Tensor,
  vocab: number,
  { ids, logp, out }: FewStep,
  at: DrawAddress,
  record: StepRecord,
): void {
  const { rows, cols: ldz } = asMatrix(z);
  const { cols: k } = asMatrix(ids);
  if (!(k >= 1 && k <= Math.min(MOST_FEW, vocab))) {
    throw new Error(
      `Cannot weigh the ${k} likeliest of ${vocab} tokens: 1 to ${MOST_FEW}, at most all, are possible`,
    );
  }
  expectShape("weigh few", at.info, [rows, 4]);
  for (const one of [ids, logp, out]) expectShape("weigh few", one, [rows, k]);
  const kernel = vocabularyKernel(
    `few_${how.kind}`,
    vocab,
    () => `${CODE[how.kind]}\n${randomSource}\n${stepCode}`,
  );
  const params = {
    ...{ rows, vocab, ldz, k, mode: what === "weights" ? 0 : scoreMode(how), random: how.random ? 1 : 0 },
    ...{ columns: record.tokens.shape[1], column: record.column },
    ...{ shift: at.shift, ...at.key, tau: how.tau },
    ...constants(how),
  };
  run(gpu, kernel, [z, at.info, ids, logp, out, record.tokens], params, grid(rows));
}

function scoreMode(how: FewWeighing): number {
  if (how.kind === "gumbel") return how.score === "weights" ? 1 : 2;
  return how.kind === "dirichlet" ? 1 : { mean: 1, whole: 2 }[how.score];
}

function constants(how: FewWeighing): Record<string, number> {
  if (how.kind === "dirichlet") return { alpha: how.alpha };
  if (how.kind === "covariance") return { eta: how.eta };
  if (how.kind === "noisy_logits") return { scale: how.scale };
  return { temperature: how.temperature, published: how.score === "published" ? 1 : 0 };
}
