import { flags } from "../settings/flags.ts";
import { choice, flag, integer, numbers, path, text, type Values } from "../settings/setting.ts";
import { trainSettings } from "../train/train_settings.ts";

const shape = "A new model's shape";

/** Every flag of `softcot sft`. */
export const sftSettings = {
  model: text("Folder of a model to start from; a new model is made if none is given", {
    placeholder: "model",
    short: "m",
  }),
  task: { ...flags.task, description: "Task whose demonstrations are learned: sums or sums-slips" },
  data: path("File of demonstrations of your own: rows with messages, or with prompt and completion", {
    placeholder: "file",
  }),
  chatTemplate: {
    ...flags.chatTemplate,
    description:
      "Put the prompts of --data into the form of the model's chat template, as messages always are",
  },
  out: { ...flags.out, description: "Folder for the model" },
  steps: {
    ...flags.steps,
    default: 2400 as number,
    defaultText: "2400; with --data three passes over its rows",
  },
  batch: integer("Demonstrations an update", { default: 64, min: 1 }),
  noise: numbers(
    "Gaussian noise on the input rows of the completions, in units of RMS(E); of several levels each update takes the next",
    { default: [0], min: 0, max: 100 },
  ),
  seed: flags.seed,
  width: integer("Width d of the residual stream, a multiple of 4", { default: 64, min: 4, group: shape }),
  layers: integer("Blocks", { default: 3, min: 1, group: shape }),
  heads: integer("Attention heads", { default: 4, min: 1, group: shape }),
  mlp: integer("Width of the SwiGLU layer", { default: 176, min: 4, group: shape }),
  context: integer("Longest text in tokens", { default: 256, min: 16, group: shape }),
  lr: { ...flags.lr, default: 2e-3 },
  warmup: { ...flags.warmup, default: 50 },
  finalLr: { ...trainSettings.finalLr, default: 0.1 },
  beta1: flags.beta1,
  beta2: flags.beta2,
  weightDecay: { ...flags.weightDecay, default: 0.01 },
  clip: flags.clip,
  saveEvery: integer("Updates between states that --resume goes on from", { default: 500, min: 1 }),
  dtype: choice(["f32", "f16"], "How the weights are written", { default: "f32" }),
  recompute: flag("Keep only each block's input and compute the rest again in the backward pass"),
} as const;

/** What `softcot sft` is told. */
export type SftValues = Values<typeof sftSettings>;
