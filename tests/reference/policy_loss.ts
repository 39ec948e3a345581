import type { ModelConfig } from "../../model/transformer/config.ts";
import { packedLayout } from "./attention.ts";
import { crossEntropy, crossEntropyBackward } from "./cross_entropy.ts";
import { embeddingBackward, embeddingGather } from "./embedding.ts";
import { gaussianLogProbability, noiseUpstream, softMixture, softMixtureBackward } from "./soft_mixture.ts";
import { addInto, dot } from "./support.ts";
import {
  EMBEDDING,
  headBackward,
  headForward,
  transformerBackward,
  transformerForward,
  type Weights,
  zeroGradients,
} from "./transformer.ts";

/** A finished rollout; rollouts of one question are consecutive and share its prompt. */
export interface RecordedRollout {
  question: number;
  prompt: number[];
  /** Token of every thinking step: what was fed (hard) or the greedy shadow (soft, fuzzy). */
  thinking: number[];
  forced: number[];
  answer: number[];
  advantage: number;
  /** [steps, d], eps; absent for hard thinking, as is `thoughts`. */
  noise?: Float64Array;
  /** [steps, d], h~: the rows that were fed. */
  thoughts?: Float64Array;
  /** ln pi of its tokens when they were drawn, where that was by other weights. */
  drawn?: { thinking: number[]; answer: number[] };
}

/** How the thinking of a batch was done. */
export interface RecordedBatch {
  mode: "hard" | "soft" | "fuzzy";
  tau: number;
  sigma: number;
  rollouts: RecordedRollout[];
  /** Other weights made the rollouts: each action's gradient is weighed by its importance ratio, or by this where that is larger. */
  mostRatio?: number;
}

/** The policy loss of a batch, its log-probabilities by rollout, and its gradient. */
export interface PolicyLossResult {
  loss: number;
  thinkingLogProbabilities: Float64Array[];
  answerLogProbabilities: Float64Array[];
  /** ln of the importance ratios, of thinking and answers; of other weights' rollouts alone. */
  logRatios: { thinking: number[]; answer: number[] };
  gradients: Weights;
}

/**
 * loss = -(1 / rollouts) sum of advantage * (sum of log pi), and its gradient as method section 3 says: packed rows with
 * shared prompts, the recorded noise as upstream gradient of the mixture, and every path into E. Of rollouts that other weights made, the
 * upstream gradient is that of the density, and every action has its truncated importance ratio as a constant factor (section 10).
 */
export function policyLoss(config: ModelConfig, weights: Weights, batch: RecordedBatch): PolicyLossResult {
  const { rollouts } = batch;
  const d = config.hiddenSize;
  const plan = planRows(rollouts);
  const table = weights.get(EMBEDDING)!;
  const gradients = zeroGradients(config);
  const dTable = gradients.get(EMBEDDING)!;

  const x = embeddingGather(table, plan.ids, d);
  if (batch.mode !== "hard") {
    rollouts.forEach((rollout, i) => x.set(rollout.thoughts!, plan.firstThought[i] * d));
  }
  const trace = transformerForward(config, weights, x, plan.layout);
  const dHidden = new Float64Array(x.length);
  const result: PolicyLossResult = {
    loss: 0,
    gradients,
    thinkingLogProbabilities: [],
    answerLogProbabilities: [],
    logRatios: { thinking: [], answer: [] },
  };

  /** Scores the rows' predictions, adds to the loss, and takes the gradient back to the rows. */
  const act = (
    i: number,
    rows: number[],
    score: Scorer,
    part: "thinking" | "answer",
    old: ArrayLike<number>,
  ) => {
    const hidden = embeddingGather(trace.hidden, rows, d);
    const logits = headForward(config, weights, hidden);
    let coefficients = rows.map(() => -rollouts[i].advantage / rollouts.length);
    if (batch.mostRatio !== undefined) {
      const now = score(logits, rows.map(() => 0)).logProbabilities;
      const logRatios = [...now].map((value, t) => value - old[t]);
      result.logRatios[part].push(...logRatios);
      coefficients = coefficients.map((c, t) => c * Math.min(Math.exp(logRatios[t]), batch.mostRatio!));
    }
    const { logProbabilities, dLogits } = score(logits, coefficients);
    result.loss += dot(coefficients, logProbabilities);
    const back = headBackward(config, weights, hidden, dLogits, gradients);
    addInto(dHidden, embeddingBackward(back, rows, plan.ids.length, d));
    return logProbabilities;
  };
  rollouts.forEach((rollout, i) => {
    const thinking = batch.mode === "hard"
      ? categorical(config, rollout.thinking, batch.tau)
      : gaussian(config, table, dTable, rollout, batch);
    const { drawn } = rollout;
    const old = batch.mode === "hard" ? drawn?.thinking : noiseLogProbability(rollout);
    result.thinkingLogProbabilities.push(act(i, plan.thinkingPredictors[i], thinking, "thinking", old ?? []));
    const answer = categorical(config, rollout.answer, 1);
    result.answerLogProbabilities.push(
      act(i, plan.answerPredictors[i], answer, "answer", drawn?.answer ?? []),
    );
  });

  const dx = transformerBackward(config, weights, trace, dHidden, gradients);
  if (batch.mode !== "hard") {
    // A thought is the action itself, a constant: its row passes nothing on to E.
    rollouts.forEach((rollout, i) => {
      const start = plan.firstThought[i] * d;
      dx.fill(0, start, start + rollout.thinking.length * d);
    });
  }
  addInto(dTable, embeddingBackward(dx, plan.ids, config.vocabSize, d));
  return result;
}

/** ln pi of noisy rows under the weights that made them. */
const noiseLogProbability = ({ noise, thinking }: RecordedRollout): Float64Array =>
  gaussianLogProbability(noise!, new Float64Array(noise!.length), 1, thinking.length);

type Scorer = (
  logits: Float64Array,
  coefficients: number[],
) => { logProbabilities: Float64Array; dLogits: Float64Array };

function categorical(config: ModelConfig, targets: number[], tau: number): Scorer {
  const options = { tau, usedVocabSize: config.usedVocabSize };
  return (logits, coefficients) => {
    const losses = coefficients.map((c) => -c);
    return {
      logProbabilities: crossEntropy(logits, targets, losses, config.vocabSize, options).logProbabilities,
      dLogits: crossEntropyBackward(logits, targets, losses, config.vocabSize, options),
    };
  };
}

function gaussian(
  config: ModelConfig,
  table: Float64Array,
  dTable: Float64Array,
  rollout: RecordedRollout,
  { tau, sigma, mostRatio }: RecordedBatch,
): Scorer {
  const rows = rollout.thinking.length;
  const { vocabSize, usedVocabSize, hiddenSize: d } = config;
  const shape = { rows, vocabSize, usedVocabSize, d, tau };
  return (logits, coefficients) => {
    const { mixture, probabilities } = softMixture(logits, table, shape);
    const off = rollout.thoughts!.map((value, i) => (value - mixture[i]) / sigma);
    const upstream = noiseUpstream(mostRatio === undefined ? rollout.noise! : off, coefficients, sigma);
    const back = softMixtureBackward(upstream, probabilities, table, shape);
    addInto(dTable, back.dTable);
    return {
      logProbabilities: gaussianLogProbability(rollout.thoughts!, mixture, sigma, rows),
      dLogits: back.dLogits,
    };
  };
}

/** Which packed row is what: prompts once, then the rows of each of their rollouts. */
function planRows(rollouts: RecordedRollout[]) {
  const groups: { prompt: number; continuations: number[] }[] = [];
  const ids: number[] = [];
  const plan = {
    ids,
    firstThought: [] as number[],
    thinkingPredictors: [] as number[][],
    answerPredictors: [] as number[][],
  };
  let lastPromptRow = -1;
  rollouts.forEach((rollout, i) => {
    if (i === 0 || rollouts[i - 1].question !== rollout.question) {
      groups.push({ prompt: rollout.prompt.length, continuations: [] });
      ids.push(...rollout.prompt);
      lastPromptRow = ids.length - 1;
    }
    const own = ids.length;
    const predictor = (n: number) => n === 0 ? lastPromptRow : own + n - 1;
    const rows = [...rollout.thinking, ...rollout.forced, ...rollout.answer.slice(0, -1)];
    ids.push(...rows);
    groups[groups.length - 1].continuations.push(rows.length);
    const firstAnswer = rollout.thinking.length + rollout.forced.length;
    plan.firstThought.push(own);
    plan.thinkingPredictors.push(rollout.thinking.map((_, n) => predictor(n)));
    plan.answerPredictors.push(rollout.answer.map((_, n) => predictor(firstAnswer + n)));
  });
  return { ...plan, layout: packedLayout(groups) };
}
