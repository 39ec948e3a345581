import { promptIds } from "../eval/questions/prompt_ids.ts";
import { UserError } from "../gpu/errors.ts";
import { globalNorm } from "../gpu/ops/adamw/global_norm.ts";
import { letEventsIn } from "../gpu/let_events_in.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { ModelConfig } from "../model/transformer/config.ts";
import { freeParams, type Trainable, zeroParams } from "../model/transformer/params.ts";
import type { Model } from "../model/transformer/transformer.ts";
import { accumulateCrossEntropy, type Example } from "./cross_entropy.ts";
import {
  createLike,
  createOptimizer,
  learningRate,
  type Optimizer,
  type OptimizerSettings,
  updateModel,
} from "./optimizer.ts";

/** Settings of supervised training. */
export interface SftSettings extends OptimizerSettings {
  /** Demonstrations a step. */
  batch: number;
  /** Decides which demonstrations are drawn. */
  seed: number;
  /**
   * Gaussian noise on the input rows of the completions, in units of RMS(E) as it is at that update: a level for each update, in
   * turn; none if left out. A base made so bears the mixtures and the noise of soft thinking.
   */
  noise?: readonly number[];
  /** Keep block inputs only and compute the rest again in the backward pass. */
  recompute: boolean;
}

/** What a step of supervised training did. */
export interface SftStep {
  /** Counted from 1. */
  step: number;
  /** Mean of -ln p over the completions' tokens, in nats. */
  loss: number;
  /** The learning rate it used. */
  lr: number;
  /** Tokens that were predicted. */
  tokens: number;
  /** Its time. */
  seconds: number;
}

/** Where demonstrations come from: a task that writes them, or data. */
export interface Demonstrations {
  /** The index-th one under a seed; a prompt that is given as ids is taken as it is. */
  demonstration?(seed: number, index: number): { prompt: string | readonly number[]; completion: string };
}

/** What an update leaves beside the weights. */
export interface SftMoments {
  /** Moments and the last gradient's norm. */
  optimizer: Optimizer;
  /** The last gradient. */
  grads: Trainable;
}

/** Keeps a training that may be stopped, so that it can go on. */
export interface SftKeeper {
  /** Loads what is kept into the weights and these moments. Returns the updates done, 0 where nothing is kept. */
  load(state: SftMoments): number;
  /** Called after each update; `last` if no other one follows now. */
  save(step: SftStep, state: SftMoments, last: boolean): Promise<void>;
}

/** A demonstration as ids: the loss is on the completion and the end token that follows it. */
export function exampleOf(
  tokenizer: Tokenizer,
  prompt: string | readonly number[],
  completion: string,
): Example {
  const start = typeof prompt === "string" ? promptIds(tokenizer, prompt) : prompt;
  const end = tokenizer.eosId === undefined ? [] : [tokenizer.eosId];
  return { ids: [...start, ...tokenizer.encode(completion), ...end], from: start.length };
}

/**
 * Trains a model, or its adapter where it has one, on demonstrations: the step and the seed decide which.
 * @param onStep called after each step; training stops early if it returns false
 * @param keeper where the training is kept, and goes on from
 * @throws UserError if a demonstration is longer than the model's context, or the loss is no finite number
 */
export async function trainSupervised(
  model: Model,
  tokenizer: Tokenizer,
  demonstrations: Demonstrations,
  settings: SftSettings,
  onStep: (step: SftStep) => boolean,
  keeper?: SftKeeper,
): Promise<void> {
  const { gpu, config } = model;
  const grads = createLike(model, "gradient");
  const optimizer = createOptimizer(gpu, config, model.adapter);
  for (let step = (keeper?.load({ optimizer, grads }) ?? 0) + 1; step <= settings.steps; step++) {
    const started = performance.now();
    const examples = Array.from({ length: settings.batch }, (_, i) => {
      const { prompt, completion } = demonstrations.demonstration!(
        settings.seed,
        (step - 1) * settings.batch + i,
      );
      return exampleOf(tokenizer, prompt, completion);
    });
    checkLength(config, examples);
    const tokens = examples.reduce((sum, { ids, from }) => sum + ids.length - from, 0);
    zeroParams(gpu, grads);
    const sigma = await noiseOf(model, settings, step);
    const noise = sigma === 0 ? undefined : { sigma, seed: settings.seed, step };
    const fetch = accumulateCrossEntropy(model, grads, examples, 1 / tokens, settings.recompute, noise);
    updateModel(model, grads, optimizer, settings, step);
    const loss = -(await fetch()).reduce((sum, logp) => sum + logp, 0) / tokens;
    if (!Number.isFinite(loss)) throw diverged(step, loss);
    await letEventsIn();
    const seconds = (performance.now() - started) / 1000;
    const done = { step, loss, lr: learningRate(settings, step), tokens, seconds };
    const goesOn = onStep(done) && step < settings.steps;
    await keeper?.save(done, { optimizer, grads }, !goesOn);
    if (!goesOn) break;
  }
  freeParams(gpu, grads);
  freeParams(gpu, optimizer.first);
  freeParams(gpu, optimizer.second);
  gpu.arena.free(optimizer.norm);
}

const diverged = (step: number, loss: number): UserError =>
  new UserError(
    `Cannot go on after update ${step - 1}: the loss of update ${step} is ${loss}, a finite one is needed`,
    "train with a smaller learning rate (--lr); nothing was written",
  );

/** The noise of an update: its level times RMS(E). */
async function noiseOf({ gpu, params }: Model, { noise = [0] }: SftSettings, step: number): Promise<number> {
  const level = noise[(step - 1) % noise.length];
  if (level === 0) return 0;
  if (params.embedding.dtype !== "f32") {
    throw new Error(`Cannot measure RMS(E) of an embedding in ${params.embedding.dtype}: f32 is needed`);
  }
  using scratch = gpu.arena.scratch();
  const norm = scratch.f32([1], "norm of the embedding");
  globalNorm(gpu, [params.embedding], norm);
  const [length] = new Float32Array(await gpu.reader.read(norm));
  return level * length / Math.sqrt(params.embedding.rows * params.embedding.cols);
}

function checkLength({ maxPosition }: ModelConfig, examples: readonly Example[]): void {
  const longest = Math.max(...examples.map(({ ids }) => ids.length));
  if (longest <= maxPosition) return;
  throw new UserError(
    `Cannot train on a text of ${longest} tokens: the model's context holds ${maxPosition}`,
    "make a model with a longer one: --context",
  );
}
