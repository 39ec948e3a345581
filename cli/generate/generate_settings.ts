import { ALL_MODES } from "../../eval/modes.ts";
import { UNTRAINED_WAYS, WAYS } from "../../model/thinking/ways.ts";
import { answeringFlags, flags, mixingFlags, ownCodeFlags } from "../settings/flags.ts";
import { choice, flag, type Values } from "../settings/setting.ts";

/** Every flag of `softcot generate`. */
export const generateSettings = {
  ...answeringFlags,
  chatTemplate: flags.chatTemplate,
  system: flags.system,
  thinking: choice([...WAYS, ...UNTRAINED_WAYS], flags.thinking.description, { default: "soft" }),
  mode: choice(ALL_MODES, "Way of thinking with or without chance in one word, as in softcot eval", {
    defaultText: "by --thinking and --sample",
    placeholder: "mode",
  }),
  sample: flag("Draw tokens, or noise on the mixtures; otherwise the most probable tokens are taken"),
  samples: { ...flags.samples, description: "Texts to generate; more than one are drawn", default: 1 },
  gamma: { ...flags.gamma, defaultText: "that of the run or of the task's recipe, else 0.33" },
  tau: flags.tau,
  ...mixingFlags,
  topK: flags.topK,
  topP: flags.topP,
  minP: flags.minP,
  maxThinking: { ...flags.maxThinking, default: undefined, defaultText: "the task's" },
  answerTokens: { ...flags.answerTokens, default: undefined, defaultText: "the task's" },
  raw: flags.raw,
  maxTokens: flags.maxTokens,
  longPrompts: choice(
    ["refuse", "truncate"],
    "A text that leaves no room in the model's context: refuse it, or truncate its middle",
    { default: "refuse" },
  ),
  showThinking: flag("Show what each thinking step was made of: its most probable tokens with their weights"),
  seed: flags.seed,
  ...ownCodeFlags,
};

/** What `softcot generate` is told. */
export type GenerateValues = Values<typeof generateSettings>;
