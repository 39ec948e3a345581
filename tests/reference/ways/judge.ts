/** Whether the mean of a way's policy gradients is the gradient of the expected reward, from many rollouts of a toy. */
import { randomStream } from "../support.ts";
import type { Law } from "./laws.ts";
import { estimate, expectedReward, firstInput, numericGradient, type TwoStepToy } from "./two_step_toy.ts";
import type { Draws, Way } from "./way.ts";

/** How a mean of estimates compares with the numeric gradient; sizes are relative to the gradient's norm. */
export interface Judgement {
  /** Norm of (mean less gradient). */
  bias: number;
  /** Norm of the mean's standard errors: what `bias` is around where there is none. */
  standardError: number;
  /** The coordinate that deviates most, in its standard errors. */
  worst: number;
  /** Norm of the standard deviations of one rollout's estimate. */
  spread: number;
  /** Norm of the numeric gradient. */
  norm: number;
}

/** Judges a way on a toy by `samples` rollouts, with the expected reward as baseline. */
export function judge<Action>(
  toy: TwoStepToy,
  way: Way<Action>,
  law: Law,
  samples: number,
  seed = 1,
): Judgement {
  const exact = numericGradient(toy, law);
  const baseline = expectedReward(toy, law);
  const draw = drawing(way.draws(firstInput(toy)), randomStream(seed));
  const sum = new Float64Array(exact.length);
  const squares = new Float64Array(exact.length);
  for (let n = 0; n < samples; n++) {
    const { gradient } = estimate(toy, way, [draw(), draw()], baseline);
    for (let i = 0; i < sum.length; i++) {
      const deviation = gradient[i] - exact[i];
      sum[i] += deviation;
      squares[i] += deviation * deviation;
    }
  }
  const mean = sum.map((x) => x / samples);
  const variance = squares.map((x, i) => Math.max(0, x / samples - mean[i] ** 2));
  const errors = variance.map((x) => Math.sqrt(x / samples));
  const norm = length(exact);
  return {
    bias: length(mean) / norm,
    standardError: length(errors) / norm,
    // What hardly varies is held to the accuracy of the numeric gradient instead.
    worst: mean.reduce((worst, x, i) => Math.max(worst, Math.abs(x) / Math.max(errors[i], 1e-3 * norm)), 0),
    spread: Math.sqrt(variance.reduce((a, b) => a + b, 0)) / norm,
    norm,
  };
}

/** A source of draws: that many uniforms and normals a step, from one stream. */
export function drawing(counts: { uniforms: number; normals: number }, stream: () => number): () => Draws {
  const uniform = () => stream() + 2 ** -33;
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return () => ({
    uniforms: Array.from({ length: counts.uniforms }, uniform),
    normals: Array.from({ length: counts.normals }, normal),
  });
}

/** Writes a judgement as one line. */
export function told({ name, kind }: { name: string; kind: string }, judgement: Judgement): string {
  const { bias, worst, standardError, spread } = judgement;
  const percent = (x: number) => `${(100 * x).toFixed(1)}%`;
  return `${name}: ${kind}, bias = ${percent(bias)} of the gradient (${
    worst.toFixed(1)
  } standard errors where it is ` +
    `worst; standard error ${percent(standardError)}; one rollout deviates by ${
      spread.toFixed(1)
    } gradients)`;
}

const length = (values: Float64Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
