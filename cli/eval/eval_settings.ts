import { flags, mixingFlags, ownCodeFlags } from "../settings/flags.ts";
import { workersFlags } from "../worker/worker_flags.ts";
import { choice, integer, path, type Values } from "../settings/setting.ts";

/** Every flag of `softcot eval`. */
export const evalSettings = {
  model: flags.model,
  adapter: flags.adapter,
  weights: flags.weights,
  data: flags.data,
  mode: flags.mode,
  samples: flags.samples,
  split: choice(["test", "validation", "train"], "Which problems", { default: "test" }),
  limit: flags.limit,
  shots: integer("Solved examples before each question, training questions chosen by the seed", {
    default: 0,
    min: 0,
    max: 64,
  }),
  chatTemplate: flags.chatTemplate,
  system: flags.system,
  longPrompts: flags.longPrompts,
  topK: flags.topK,
  topP: flags.topP,
  minP: flags.minP,
  ...mixingFlags,
  gamma: { ...flags.gamma, defaultText: "that of the run or of the task's recipe, else 0.33" },
  tau: flags.tau,
  maxThinking: { ...flags.maxThinking, default: undefined, defaultText: "the task's" },
  answerTokens: { ...flags.answerTokens, default: undefined, defaultText: "the task's" },
  batchRows: integer("Rollouts at once, fewer where memory asks for it; no result depends on it", {
    default: 256,
    min: 1,
    max: 65536,
  }),
  keepMixtures: integer(
    "First questions whose results in --out tell what each step of thinking was made of",
    {
      default: 0,
      min: 0,
      max: 65536,
      placeholder: "N",
    },
  ),
  seed: flags.seed,
  ...ownCodeFlags,
  ...workersFlags,
  show: integer("Generated texts of each mode to show, from the first question on", {
    default: 0,
    min: 0,
    max: 10_000,
  }),
  out: path(
    "Folder for the results; the same command goes on with what is there, and more questions, samples, modes and tasks are added to it",
    {
      placeholder: "dir",
      short: "o",
    },
  ),
};

/** What `softcot eval` is told. */
export type EvalValues = Values<typeof evalSettings>;
