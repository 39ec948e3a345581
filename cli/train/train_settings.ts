import { WEIGHT_FORMS } from "../../model/weights/weight_types.ts";
import { ADVANTAGES } from "../../rl/advantage.ts";
import { flags, trainedMixingFlags } from "../settings/flags.ts";
import { choice, flag, integer, number, text, texts, type Values } from "../settings/setting.ts";

const checks = "Validation and checkpoints";
const memory = "Memory";
const signal = "From rewards to the gradient";
const lora = "LoRA";

/** Everything that decides what a training run does: saved with the run, read again on resume. */
export const trainSettings = {
  model: flags.model,
  adapter: flags.adapter,
  task: flags.task,
  data: flags.data,
  chatTemplate: flags.chatTemplate,
  system: flags.system,
  longPrompts: flags.longPrompts,
  thinking: flags.thinking,
  recipe: text("Recipe, a set of values that comes with softcot, to take values from", {
    placeholder: "name",
    defaultText: "that of the task, or of task and model",
  }),
  gamma: flags.gamma,
  tau: flags.tau,
  ...trainedMixingFlags,
  questions: flags.questions,
  group: flags.group,
  steps: flags.steps,
  maxThinking: flags.maxThinking,
  answerTokens: flags.answerTokens,
  seed: flags.seed,
  lr: flags.lr,
  warmup: flags.warmup,
  finalLr: number("Learning rate at the end, as a share of the peak", {
    default: 0,
    min: 0,
    max: 1,
    group: "Optimizer",
  }),
  beta1: flags.beta1,
  beta2: flags.beta2,
  weightDecay: flags.weightDecay,
  clip: flags.clip,
  clipStep: flags.clipStep,
  advantage: choice(ADVANTAGES, "How rewards become advantages; rloo, leave-one-out, is the method", {
    default: "rloo",
    group: signal,
  }),
  antithetic: flag(
    "Soft and fuzzy: rollouts in pairs with opposite noise, left out of each other's baseline",
    {
      group: signal,
    },
  ),
  refill: integer(
    "Times an update that questions whose rollouts all earn the same are followed by others, for whose rows memory is taken",
    {
      default: 0,
      min: 0,
      max: 64,
      group: signal,
    },
  ),
  entropyBonus: number(
    "Weight on the entropy of the actions' token distributions, where a group's rewards differ",
    {
      default: 0,
      min: 0,
      max: 1000,
      group: signal,
    },
  ),
  staleness: integer(
    "Updates that the weights are old which rollouts are made with, so that workers make them while updates go on; 0: on-policy, the method",
    { default: 0, min: 0, max: 16, group: signal },
  ),
  thinkingWeight: number("Weight on the thinking term of the loss; 1 is the method", {
    default: 1,
    min: 0,
    group: "Optimizer",
  }),
  lora: flag("Train an adapter of low rank beside each linear layer, and leave the model as it is", {
    group: lora,
  }),
  loraRank: integer("Rank of the adapter", { default: 16, min: 1, max: 4096, placeholder: "r", group: lora }),
  loraAlpha: number("Its updates are scaled by alpha / rank", { default: 32, above: 0, group: lora }),
  // Ten times the rate of a full training: what adapters are commonly found to learn best with.
  loraLr: number("Peak learning rate of an adapter, in place of --lr", {
    default: 6e-5,
    min: 0,
    group: lora,
  }),
  validateEvery: integer("Updates between validations by greedy decoding; 0: never", {
    default: 50,
    min: 0,
    group: checks,
  }),
  validationQuestions: integer("Questions of a validation", { default: 256, min: 1, group: checks }),
  testQuestions: integer("Test questions of the tables before and after; 0: no tables", {
    default: 256,
    defaultText: "256 of an embedded task, 0 of others: softcot eval measures them",
    min: 0,
    group: checks,
  }),
  testSamples: integer("Samples a test question in the sampled modes", { default: 1, min: 1, group: checks }),
  saveEvery: integer("Updates between checkpoints", { default: 50, min: 1, group: checks }),
  keep: integer("Checkpoints kept, beside the best", { default: 2, min: 1, group: checks }),
  printEvery: integer("Updates between completions shown on the terminal; 0: never", {
    default: 50,
    min: 0,
    group: checks,
  }),
  sampleEvery: integer(
    "Updates between those whose rollouts samples.jsonl keeps, the first included; 0: never",
    { default: 10, min: 0, group: checks },
  ),
  sampleGroups: integer("Questions of such an update, with all rollouts of each", {
    default: 2,
    min: 1,
    group: checks,
  }),
  log: choice(["tensorboard"], "Write the metrics and samples for TensorBoard, too, into the run's folder", {
    defaultText: "JSON lines alone",
    group: checks,
  }),
  diagnoseEvery: integer(
    "Updates between measurements of the divergence from the base and of the gradient's parts, the first included; 0: never",
    { default: 0, min: 0, group: checks },
  ),
  reward: texts("Rewards: task, or TypeScript files, each with =WEIGHT or a weight of 1", {
    placeholder: "rewards",
    defaultText: "task",
  }),
  microRows: integer("Tokens that go through the update at once: fewer take less memory", {
    default: 8192,
    min: 64,
    group: memory,
  }),
  recompute: flag("Keep only each block's input and compute the rest again in the backward pass", {
    group: memory,
  }),
  weights: choice(
    WEIGHT_FORMS,
    "Weights that an adapter is trained on; without --lora they train and are f32",
    {
      defaultText: "exact with --lora",
      group: memory,
    },
  ),
  rolloutWeights: choice(["f32", "f16"], "Weights that rollouts are made with: f16 are a rounded copy", {
    default: "f32",
    group: memory,
  }),
  out: flags.out,
} as const;

/** What `softcot train` is told, but for what is no part of the run. */
export type TrainValues = Values<typeof trainSettings>;
