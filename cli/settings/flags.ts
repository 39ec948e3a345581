import { MOST_SAMPLES } from "../../eval/evaluate_options.ts";
import { ALL_MODES, MODES } from "../../eval/modes.ts";
import { LONG_PROMPTS } from "../../eval/questions/long_prompts.ts";
import { MOST_FEW, WEIGHTINGS } from "../../gpu/ops/few/few_tokens.ts";
import { NOISE_PLACES } from "../../model/thinking/noise_on.ts";
import { WAY_DEFAULTS, WAYS } from "../../model/thinking/ways.ts";
import { WEIGHT_FORMS } from "../../model/weights/weight_types.ts";
import { OWN_GRANT } from "../permissions/own_grants.ts";
import * as z from "zod";
import { choice, choices, flag, integer, number, path, type Settings, text, texts } from "./setting.ts";

const optimizer = "Optimizer";
const ways = "Mixtures of tokens";

/** Questions that are asked of a task without an end: 256 answers tell a share to within 3 in 100. */
export const ENDLESS = 256;

/** Longer than the context of any model that is known. */
const MOST_TOKENS = 2 ** 20;
/** Far beyond where noise leaves anything of a thought; larger numbers leave the range of f32. */
const MOST_GAMMA = 1000;

/**
 * Every flag that more than one command may take, declared once so that it means the same everywhere. A
 * command picks from here; only what belongs to it alone does it declare itself. Defaults are those of the
 * paper (method, sections 4 to 6); recipes of a task and a way of thinking set others.
 */
export const flags = {
  model: text("Folder, run, .gguf file, or name of a model: see softcot model list", {
    default: "builtin",
    placeholder: "model",
    short: "m",
    names: "model",
  }),
  adapter: path("LoRA adapter to put on the model: a folder in PEFT's form, or a run trained with --lora", {
    placeholder: "dir",
  }),
  weights: choice(
    WEIGHT_FORMS,
    "Types of the weights on the device: exact takes the smallest that lose nothing, f16 rounds, packed leaves those of a GGUF file quantised",
    { default: "exact" },
  ),
  task: text("Task to train on or to ask: see softcot data list; or a .toml or .ts file of your own", {
    default: "sums",
    placeholder: "name",
    short: "t",
    names: "task",
  }),
  data: path("File or folder with the task's data", { defaultText: "those of softcot data pull" }),
  chatTemplate: flag("Ask in the form of the model's chat template instead of the plain prompt"),
  system: text("System message, with --chat-template"),
  topK: integer("Draw from the K most probable tokens only", {
    min: 1,
    defaultText: "all",
    placeholder: "K",
  }),
  topP: number("Draw from the fewest tokens that have this share of the probability together", {
    above: 0,
    max: 1,
    defaultText: "1: all",
    placeholder: "p",
  }),
  minP: number("Draw from tokens at least this often as probable as the most probable one", {
    min: 0,
    max: 1,
    defaultText: "0: all",
    placeholder: "p",
  }),
  thinking: choice(WAYS, "How to think: tokens, mixtures, nearly one token, or mixtures of a few tokens", {
    default: "soft",
  }),
  noiseOn: choice(NOISE_PLACES, "soft, fuzzy: what the noise lies on; all but the embedding are ablations", {
    default: "embedding",
    group: ways,
  }),
  width: integer(
    "Tokens of a step of multiplex (drawn), gumbel, dirichlet, covariance and noise on top-logits (the likeliest), neighbours",
    {
      min: 1,
      max: MOST_FEW,
      defaultText: [...Object.entries(WAY_DEFAULTS.width), ["top-logits", WAY_DEFAULTS.topLogits]]
        .map(([way, width]) => `${width} ${way}`).join(", "),
      placeholder: "K",
      group: ways,
    },
  ),
  weighting: choice(
    WEIGHTINGS,
    "multiplex, neighbours: tokens of a step weigh the same, or by their probability, as published: a surrogate",
    {
      defaultText: Object.entries(WAY_DEFAULTS.weighting).map(([way, weighting]) => `${weighting} ${way}`)
        .join(", "),
      group: ways,
    },
  ),
  rho: number("neighbours: how often a step is mixed, instead of a token drawn", {
    default: WAY_DEFAULTS.rho,
    min: 0,
    max: 1,
    group: ways,
  }),
  gumbelTau: number("gumbel: temperature of the softmax over noisy logarithms", {
    default: WAY_DEFAULTS.gumbelTau,
    min: 1e-6,
    max: 1e6,
    group: ways,
  }),
  asPublished: flag("gumbel: clamped noise and an averaged score over likely tokens alone, a surrogate", {
    group: ways,
  }),
  alpha: number("dirichlet: the larger, the nearer the weights are to the probabilities", {
    default: WAY_DEFAULTS.alpha,
    above: 0,
    max: 1e6,
    group: ways,
  }),
  eta: number("covariance: size of the noise; at 1 a step varies as a drawn token does", {
    default: WAY_DEFAULTS.eta,
    min: 1e-6,
    max: 1000,
    group: ways,
  }),
  beta: number("mixture-of-inputs: weight of the drawn token", {
    default: WAY_DEFAULTS.beta,
    min: 0,
    max: 1e6,
    group: ways,
  }),
  wholeScore: flag(
    "covariance, noise on logits or hidden rows: the score of the noise's size too, exact and noisier",
    { group: ways },
  ),
  mode: choices(ALL_MODES, "Ways to run the thinking", {
    default: MODES,
    defaultText: "all six",
    placeholder: "modes",
  }),
  gamma: number(
    "Noise on the thinking, as a multiple of the RMS of the embeddings, or of what --noise-on names",
    {
      default: 0.33,
      min: 0,
      max: MOST_GAMMA,
    },
  ),
  tau: number("Temperature of the thinking", {
    min: 1e-6,
    max: 1e6,
    defaultText: "0.5 soft, 0.0001 fuzzy, 1 others",
  }),
  maxThinking: integer("Longest thinking, in tokens", {
    default: 128,
    min: 1,
    max: MOST_TOKENS,
    placeholder: "L",
  }),
  answerTokens: integer("Longest answer, in tokens", { default: 32, min: 1, max: MOST_TOKENS }),
  maxTokens: integer("Longest continuation with --raw, in tokens", {
    default: 256,
    min: 1,
    max: MOST_TOKENS,
  }),
  samples: integer("Samples a problem in the sampled modes: pass@k for k up to it", {
    default: 8,
    min: 1,
    max: MOST_SAMPLES,
  }),
  limit: integer("Problems to use, from the first", {
    min: 1,
    max: 2 ** 20,
    defaultText: `all, or ${ENDLESS} of an endless task`,
  }),
  longPrompts: choice(
    LONG_PROMPTS,
    "Prompts that leave no room in the model's context: refuse, skip them, or truncate their middle; counted",
    { default: "refuse" },
  ),
  allowOwn: {
    ...texts(
      "What a task or a reward of your own may do: net, net=HOST, import, sys, ffi, read=PATH, write=PATH, env=NAME",
      {
        defaultText: "read its own folder",
        placeholder: "grants",
      },
    ),
    schema: z.array(z.string().regex(OWN_GRANT)).min(1),
    needs: "a list of net, net=HOST, import, sys, ffi, read=PATH, write=PATH and env=NAME",
  },
  rewardTimeout: number("Seconds that a task or a reward of your own may go without an answer", {
    default: 60,
    above: 0,
    max: 86_400,
    placeholder: "seconds",
  }),
  raw: flag("Only continue the text: no prompt around it, no end of thinking, no answer"),
  questions: integer("Questions of each update", { default: 2, min: 1, placeholder: "B" }),
  group: integer(
    "Rollouts (thoughts with their answers) of each question, which are compared with each other",
    { default: 32, min: 2, placeholder: "G" },
  ),
  steps: integer("Updates of the weights", { default: 4000, min: 1 }),
  seed: integer("Seed of all random numbers", { default: 0, min: 0, max: 0xffffffff }),
  lr: number("Peak learning rate", { default: 6e-6, min: 0, group: optimizer }),
  warmup: integer("Steps of linear warm-up", { default: 20, min: 0, group: optimizer }),
  beta1: number("AdamW's first decay", { default: 0.9, min: 0, below: 1, group: optimizer }),
  beta2: number("AdamW's second decay", { default: 0.95, min: 0, below: 1, group: optimizer }),
  weightDecay: number("AdamW's weight decay", { default: 0, min: 0, group: optimizer }),
  clip: number("Bound on the norm of the whole gradient", { default: 1, above: 0, group: optimizer }),
  clipStep: number("Bound on the norm of the gradient of one position's logits", {
    above: 0,
    defaultText: "none",
    group: optimizer,
  }),
  out: path("Folder of the run", { placeholder: "dir", short: "o" }),
  resume: flag(
    "Go on from the newest whole checkpoint of the run, or without --out of the last one in runs/; --steps may be raised",
  ),
} as const satisfies Settings;

/** What own code may do, and how long it may take. */
export const ownCodeFlags = { allowOwn: flags.allowOwn, rewardTimeout: flags.rewardTimeout };

/** Which model answers texts that people write, and in what form they are put. */
export const answeringFlags = {
  model: flags.model,
  adapter: flags.adapter,
  weights: flags.weights,
  task: {
    ...flags.task,
    description: "Task whose prompt and limits are used",
    defaultText: "that of the run; sums for its vocabulary, else the method's prompt",
  },
};

/** What decides how a step mixes tokens. */
export const mixingFlags = {
  noiseOn: flags.noiseOn,
  width: flags.width,
  weighting: flags.weighting,
  rho: flags.rho,
  gumbelTau: flags.gumbelTau,
  asPublished: flags.asPublished,
  alpha: flags.alpha,
  eta: flags.eta,
  beta: flags.beta,
};

const { beta: _, ...trained } = mixingFlags;

/** What decides how a step mixes tokens, and how that is trained. */
export const trainedMixingFlags = { ...trained, wholeScore: flags.wholeScore };
