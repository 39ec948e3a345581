import { UNTRAINED_WAYS, WAYS } from "../../model/thinking/ways.ts";
import { answeringFlags, flags, mixingFlags, ownCodeFlags } from "../settings/flags.ts";
import { choice, flag, integer, text, type Values } from "../settings/setting.ts";

const limits = "Limits";

/** Every flag of `softcot serve`. */
export const serveSettings = {
  ...answeringFlags,
  ...ownCodeFlags,
  chatTemplate: {
    ...flags.chatTemplate,
    description:
      "Put conversations in the form of the model's chat template, whatever its run was trained with",
  },
  thinking: choice(
    ["none", ...WAYS, ...UNTRAINED_WAYS],
    "How to think in conversations that do not say; none: the answer is written at once",
    { default: "soft" },
  ),
  gamma: { ...flags.gamma, defaultText: "that of the run or of the task's recipe, else 0.33" },
  tau: flags.tau,
  ...mixingFlags,
  maxThinking: { ...flags.maxThinking, default: undefined, defaultText: "the task's" },
  answerTokens: { ...flags.answerTokens, default: undefined, defaultText: "the task's" },
  maxTokens: integer("Longest answer without thinking where a request does not say, in tokens", {
    default: 512,
    min: 1,
    max: 2 ** 20,
  }),
  host: text("Address to listen on; other than this machine's own ones need --api-key", {
    default: "127.0.0.1",
    placeholder: "address",
  }),
  port: integer("Port to listen on; 0: any that is free", { default: 8000, min: 0, max: 65535 }),
  apiKey: text("Key that requests must bring, or a file that holds it", { placeholder: "key" }),
  cold: flag(
    "Be ready as soon as the model is loaded: the first requests wait while their kernels are compiled",
  ),
  atOnce: integer("Choices that are generated at once", { default: 32, min: 1, max: 256, group: limits }),
  context: integer("Longest text, prompt and answer together, in tokens", {
    min: 16,
    max: 2 ** 20,
    defaultText: "the model's, at most 8192",
    group: limits,
  }),
  queue: integer("Requests that may wait; more are refused", {
    default: 256,
    min: 1,
    max: 2 ** 16,
    group: limits,
  }),
  mostBytes: integer("Largest body of a request, in bytes", {
    default: 4 * 2 ** 20,
    min: 1024,
    max: 2 ** 30,
    group: limits,
  }),
  mostSeconds: integer("Longest time of a request, in seconds", {
    default: 600,
    min: 1,
    max: 86400,
    group: limits,
  }),
  drainSeconds: integer("Time to finish what is begun after SIGTERM, in seconds", {
    default: 30,
    min: 0,
    max: 3600,
    group: limits,
  }),
};

/** What `softcot serve` is told. */
export type ServeValues = Values<typeof serveSettings>;
